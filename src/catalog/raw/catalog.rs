//! The catalog as it is written: every key of the file, each with its place; nothing is resolved or checked yet.
//!
//! The doc comments of the fields are what editors show while the author types (`tagstream check --schema`).

use super::duration::DurationMs;
use super::event_path::{EventPath, RawNumberSource};
use super::event_types::EventTypes;
use super::expression_text::ExpressionText;
use super::places::RawPlaces;
use super::score_inputs::RawScoreInputs;
use super::selector::RawSelector;
use super::values::{RawAgo, RawManual, RawNumber, RawTitle, RawWindow};
use crate::catalog::compiled::Pointer;
use crate::catalog::yaml::{FILE, Field, NameMap, Spanned, yaml_enum, yaml_struct};

yaml_struct! {
    /// A tagstream catalog: attributes and counters of users and other entities, and the tags made of them.
    RawCatalog(FILE) {
        /// The version of this format: always 1.
        version: u64,
        /// The IANA time zone of whole-day panes and calendar windows, such as `Asia/Shanghai`; UTC by default.
        timezone: String,
        /// The first day of a `calendar: week`: `monday` (the default), `sunday` or `saturday`.
        week_starts: RawWeekStart,
        /// How an event is found in a record.
        input: RawInput,
        /// Whether there were no events before the first one: `complete` (the default), or there may have been:
        /// `partial`.
        history: RawHistory,
        /// The kinds of entity that tags are put on; `user` is always one of them.
        entities: NameMap<RawEntity>,
        /// The latest known facts about an entity, taken from events.
        attributes: NameMap<RawAttribute>,
        /// Aggregates over an entity's events, most often over a rolling window.
        counters: NameMap<RawCounter>,
        /// Named verdicts about an entity: on/off, one of several values, a stage, or what a command says.
        tags: NameMap<RawTag>,
    }
}

yaml_enum! {
    RawWeekStart("first day of the week") {
        "monday" => Monday,
        "sunday" => Sunday,
        "saturday" => Saturday,
    }
}

yaml_enum! {
    RawHistory("history") {
        "complete" => Complete,
        "partial" => Partial,
    }
}

yaml_struct! {
    /// A kind of entity.
    RawEntity("an entity") {
        /// JSON Pointer to the key of the event's entity of this kind; the user's is the `key` of `input`.
        key: Pointer,
        /// An entity without events for this long is forgotten; by default none is.
        forget_after: DurationMs,
    }
}

yaml_struct! {
    /// How an event is found in a record.
    RawInput("`input`") {
        /// `flat` (the default), `segment` (Segment's spec), `cloudevents` (both modes of the Kafka binding) or `debezium`
        /// (changes of rows).
        preset: RawPreset,
        /// JSON Pointer to the user's key; `/user_id` by default. `$key` is the record's key, `$header.NAME` its header of
        /// this name; of a list the first counts at which there is something.
        key: RawPlaces,
        /// JSON Pointer to the event's type; `/type` by default. As for `key`, `$key`, `$header.NAME` or a list may stand
        /// here.
        r#type: RawPlaces,
        /// JSON Pointer to the event's time; `/timestamp` by default. `$record` is the record's timestamp, `$header.NAME` a
        /// header; of a list the first counts at which there is something.
        time: RawPlaces,
        /// JSON Pointer to the event's id, for de-duplication; `/id` by default. As for `key`, `$key`, `$header.NAME` or a
        /// list may stand here.
        id: RawPlaces,
        /// JSON Pointer to the event's properties; `/properties` by default.
        properties: Pointer,
        /// The unit of a time that is an integer: `ms` (the default), `s`, `us` or `ns`.
        time_unit: RawTimeUnit,
        /// Whether a time without an offset is read in the catalog's time zone; without it, it is rejected.
        local_times: bool,
        /// Whether a text that is a number counts as that number where a number is wanted; off by default.
        numbers_in_text: bool,
        /// An event whose id was seen for the same user less than this long ago is dropped; off by default.
        dedup: DurationMs,
        /// How many ids `dedup` remembers of an entity, the latest ones; 10000 by default.
        dedup_limit: u64,
        /// How far in the future an event may be, after the wall clock; 5m by default.
        max_future: DurationMs,
        /// The longest record in bytes; 1048576 (1 MiB) by default.
        max_event_bytes: u64,
        /// The longest text in bytes that attributes, `last`, `first`, `top` and tags keep; 1024 (1 KiB) by default. A
        /// longer one counts as missing.
        max_text: u64,
    }
}

yaml_enum! {
    RawPreset("preset") {
        "flat" => Flat,
        "segment" => Segment,
        "cloudevents" => CloudEvents,
        "debezium" => Debezium,
    }
}

yaml_enum! {
    RawTimeUnit("time unit") {
        "ms" => Milliseconds,
        "s" => Seconds,
        "us" => Microseconds,
        "ns" => Nanoseconds,
    }
}

yaml_struct! {
    /// The latest known fact about an entity.
    RawAttribute("an attribute") {
        /// The event types that it is taken from: one, a list, or "*"; a type may end in `*`.
        from: EventTypes,
        /// The path of the value: `properties.…`, or `type`.
        value: EventPath,
        /// `string`, `number`, `bool`, `time` or `date`; by default as the event has it. A date is a text `YYYY-MM-DD`, or
        /// the local date of a time.
        r#type: RawAttributeType,
        /// Which of the events count: an expression over `type`, `time` and `properties.…`.
        r#where: ExpressionText,
        /// The kind of entity that has the attribute; `user` by default.
        entity: String,
    }
}

yaml_enum! {
    RawAttributeType("type") {
        "string" => String,
        "number" => Number,
        "bool" => Bool,
        "time" => Time,
        "date" => Date,
    }
}

yaml_struct! {
    /// An aggregate over an entity's events: exactly one of `count`, `sum`, `avg`, `min`, `max`, `distinct`,
    /// `active_days`, `last`, `first`, `top`, `sessions` and `sequence`.
    RawCounter("a counter") {
        /// The number of events: a type, a list of types, or "*"; a type may end in `*`.
        count: EventTypes,
        /// The exact sum of the numbers at this path, or of an expression such as `item.price * item.quantity`.
        sum: RawNumberSource,
        /// The mean of the numbers at this path, or of an expression.
        avg: RawNumberSource,
        /// The least number at this path, or of an expression.
        min: RawNumberSource,
        /// The greatest number at this path, or of an expression.
        max: RawNumberSource,
        /// The number of different values at this path.
        distinct: EventPath,
        /// The number of different local dates with an event: a type, a list of types, or "*"; a type may end in `*`.
        active_days: EventTypes,
        /// The value at this path in the latest event; `time` for its time.
        last: EventPath,
        /// The value at this path in the earliest event; `time` for its time.
        first: EventPath,
        /// The most frequent text at this path.
        top: EventPath,
        /// The number of sessions: a type, a list of types, or "*"; a type may end in `*`. `gap` says how long a silence
        /// ends one.
        sessions: EventTypes,
        /// How often these steps were completed in order, within `within`: 2 to 8 of them, each a type, a list of types, or
        /// `{ on, where }`.
        #[schemars(length(min = 2, max = 8))]
        sequence: Vec<Spanned<RawSelector>>,
        /// An event more than this long after the one before it begins a session.
        gap: DurationMs,
        /// The longest time between the first and the last step of a sequence.
        within: DurationMs,
        /// Only what came after the latest of these events counts: a type, a list of types, or `{ on, where }`.
        since: RawSelector,
        /// The event types that count: one, a list, or "*"; a type may end in `*`.
        on: EventTypes,
        /// An array of the event's properties whose elements count each by itself, as `item`.
        #[schemars(regex(pattern = r"^properties[.\[].+$"))]
        each: EventPath,
        /// Which of the events count: an expression over `type`, `time`, `properties.…` and, with `each`, `item`.
        r#where: ExpressionText,
        /// The length of the window: a duration such as `30d`, or `lifetime` (the default).
        window: RawWindow,
        /// The current day, week, month or year in the catalog's time zone, instead of `window`.
        calendar: RawCalendarUnit,
        /// How long before the current window this one lies: a duration beside `window`, a number of periods beside
        /// `calendar`.
        ago: RawAgo,
        /// The length of a pane: `1s`, `1m`, `1h` or `1d`; by default by the window's length.
        resolution: RawResolution,
        /// How many values `distinct` (256 by default) or `top` (64) tell apart.
        limit: u64,
        /// The kind of entity that has the counter; `user` by default.
        entity: String,
    }
}

yaml_struct! {
    /// Events by their types, and by what is in them.
    RawSelectorOptions("these events") {
        /// The event types: one, a list, or "*"; a type may end in `*`.
        on: EventTypes,
        /// Which of the events: an expression over `type`, `time` and `properties.…`.
        r#where: ExpressionText,
    }
}

yaml_enum! {
    RawCalendarUnit("calendar window") {
        "day" => Day,
        "week" => Week,
        "month" => Month,
        "year" => Year,
    }
}

yaml_enum! {
    RawResolution("resolution") {
        "1s" => Second,
        "1m" => Minute,
        "1h" => Hour,
        "1d" => Day,
    }
}

yaml_struct! {
    /// A verdict about an entity: exactly one of `when`, `value`, `stages`, `score` and `manual`.
    RawTag("a tag") {
        /// The name that people see: a text, or one text per language.
        title: RawTitle,
        /// Its place in the tag tree, such as `lifecycle/risk`.
        group: String,
        /// What it means and who uses it.
        description: String,
        /// The person or team that is responsible for it.
        owner: String,
        /// On while this condition holds.
        when: ExpressionText,
        /// Off once `when` no longer holds and this does; by default as soon as `when` no longer holds.
        until: ExpressionText,
        /// How long `when` must have held without interruption; 0 by default.
        r#for: DurationMs,
        /// How long the tag stays after `when` stopped holding; 0 by default.
        keep_for: DurationMs,
        /// The tag's value, or the number that its bands divide.
        value: ExpressionText,
        /// Bands in order, each with an increasing bound `below`; the last one has no bound.
        bands: Vec<Spanned<RawBand>>,
        /// How far beyond a bound a value must go before it leaves its band.
        margin: RawNumber,
        /// The first stage whose `when` holds; the last one may have none.
        stages: Vec<Spanned<RawStage>>,
        /// A number that a model computes, which bands may divide.
        score: RawScore,
        /// `true`: set and removed by `$tag` commands.
        manual: RawManual,
        /// How long a manual tag stays, unless the command says it; for ever by default.
        valid_for: DurationMs,
        /// The kind of entity that the tag is put on; `user` by default.
        entity: String,
    }
}

yaml_struct! {
    /// Options of a tag that commands set and remove.
    RawManualOptions("`manual`") {
        /// How long it stays, unless the command says it; for ever by default.
        valid_for: DurationMs,
    }
}

yaml_struct! {
    /// A number that a trained model computes for an entity.
    RawScore("a score") {
        /// The path of the model's file (ONNX), relative to the catalog's folder.
        model: String,
        /// The inputs of the model, in its order: `- recency: days_since(last_active)` and so on.
        inputs: RawScoreInputs,
        /// Which of the model's outputs is the score: `probability` of a classifier, or an output's name.
        output: String,
        /// The longest time until the score is computed again, also without events; 1d by default.
        refresh: DurationMs,
    }
}

yaml_struct! {
    /// One band of a value.
    RawBand("a band") {
        /// The tag's value while the number lies in this band.
        name: String,
        /// The bound that the number lies below; the last band has none.
        below: RawNumber,
    }
}

yaml_struct! {
    /// One stage of a classification.
    RawStage("a stage") {
        /// The tag's value while this is the first stage whose condition holds.
        name: String,
        /// The stage's condition; only the last stage may have none.
        when: ExpressionText,
    }
}

/// The entries of a section; none where it is missing.
pub(crate) fn named_entries<T>(field: &Field<NameMap<T>>) -> &[(Spanned<String>, Option<T>)] {
    field.value().map_or(&[], |entries| &entries.0)
}
