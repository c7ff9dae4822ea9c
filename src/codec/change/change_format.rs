//! The formats in which subscribers may want tag changes: ours, CloudEvents, and the calls of Segment.

use serde_json::value::RawValue;

use super::change_reader::ChangeRecord;
use crate::codec::json_writer::push_string;
use crate::model::ChangeType;

/// The form of a tag change in a topic or a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChangeFormat {
    /// Our own object.
    #[default]
    Tagstream,
    /// An event of CloudEvents 1.0 in structured mode; `data` is our object.
    CloudEvents,
    /// A `track` call of Segment, as its audiences and computed traits write it, or a `group` call for an entity that is not a
    /// user; `context.tagstream` is our object.
    Segment,
}

impl ChangeFormat {
    pub const ALL: [ChangeFormat; 3] = [ChangeFormat::Tagstream, ChangeFormat::CloudEvents, ChangeFormat::Segment];

    /// The word of the settings.
    pub fn name(self) -> &'static str {
        match self {
            ChangeFormat::Tagstream => "tagstream",
            ChangeFormat::CloudEvents => "cloudevents",
            ChangeFormat::Segment => "segment",
        }
    }

    /// The media type of one change.
    pub fn content_type(self) -> &'static str {
        match self {
            ChangeFormat::Tagstream | ChangeFormat::Segment => "application/json",
            ChangeFormat::CloudEvents => "application/cloudevents+json",
        }
    }

    /// The greatest size of a change in this format, where our object has at most so many bytes.
    pub fn bytes_max(self, object: u64) -> u64 {
        /// What stands around it, with the names and the key once more.
        const ENVELOPE: u64 = 4 << 10;
        match self {
            ChangeFormat::Tagstream => object,
            ChangeFormat::CloudEvents => object + ENVELOPE,
            // The value stands there again.
            ChangeFormat::Segment => 2 * object + ENVELOPE,
        }
    }

    /// Writes a change in this format. `object`: our object; `application`: which installation of tagstream has made it.
    pub fn write(self, object: &[u8], application: &str, out: &mut Vec<u8>) {
        match (self, ChangeRecord::parse(object)) {
            (ChangeFormat::CloudEvents, Ok(change)) => write_cloud_event(&change, object, application, out),
            (ChangeFormat::Segment, Ok(change)) => write_segment_call(&change, object, application, out),
            (ChangeFormat::Tagstream, _) | (_, Err(_)) => out.extend_from_slice(object),
        }
    }
}

/// The type of an event of CloudEvents.
pub(crate) fn event_type(change: ChangeType) -> &'static str {
    match change {
        ChangeType::Added => "tagstream.tag.added",
        ChangeType::Changed => "tagstream.tag.changed",
        ChangeType::Removed => "tagstream.tag.removed",
    }
}

fn write_cloud_event(change: &ChangeRecord<'_>, object: &[u8], application: &str, out: &mut Vec<u8>) {
    let mut writer = ObjectWriter::begin(out);
    writer.text("specversion", "1.0");
    writer.text("id", &change.id);
    writer.text("source", &format!("/tagstream/{application}"));
    writer.text("type", event_type(change.change_type()));
    writer.text("subject", &format!("{}:{}", change.entity, change.key));
    writer.text("time", &change.at);
    writer.text("datacontenttype", "application/json");
    writer.json("data", object);
    writer.end();
}

/// What a change is to Segment.
enum Computation<'a> {
    /// A tag that one has or does not have.
    Audience { is_member: bool },
    /// A tag with other values; null where it was removed.
    Trait { value: &'a RawValue },
}

impl<'a> Computation<'a> {
    fn of(change: &ChangeRecord<'a>) -> Self {
        let is_flag = |value: &RawValue| matches!(value.get(), "true" | "false" | "null");
        if is_flag(change.value) && is_flag(change.previous) {
            Computation::Audience { is_member: change.value.get() == "true" }
        } else {
            Computation::Trait { value: change.value }
        }
    }

    /// As `computation_class` has it; with `_key`, the property that names the audience or the trait.
    fn class(&self) -> &'static str {
        match self {
            Computation::Audience { .. } => "audience",
            Computation::Trait { .. } => "trait",
        }
    }

    fn event(&self) -> &'static str {
        match self {
            Computation::Audience { is_member: true } => "Audience Entered",
            Computation::Audience { is_member: false } => "Audience Exited",
            Computation::Trait { .. } => "Trait Computed",
        }
    }

    fn value(&self) -> &'a str {
        match self {
            Computation::Audience { is_member: true } => "true",
            Computation::Audience { is_member: false } => "false",
            Computation::Trait { value } => value.get(),
        }
    }
}

fn write_segment_call(change: &ChangeRecord<'_>, object: &[u8], application: &str, out: &mut Vec<u8>) {
    const USER: &str = "user";
    let computation = Computation::of(change);
    let (tag, value) = (&*change.tag, computation.value().as_bytes());
    let mut call = ObjectWriter::begin(out);
    if change.entity == USER {
        call.text("type", "track");
        call.text("event", computation.event());
        call.text("userId", &change.key);
    } else {
        // A call needs a person, also where it is about a group.
        call.text("type", "group");
        call.text("anonymousId", &format!("{}:{}", change.entity, change.key));
        call.text("groupId", &change.key);
    }
    call.text("messageId", &change.id);
    call.text("timestamp", &change.at);
    let mut values = Vec::new();
    let mut members = ObjectWriter::begin(&mut values);
    let name_key = format!("{}_key", computation.class());
    if change.entity == USER && tag != name_key {
        members.text(&name_key, tag);
    }
    members.json(tag, value);
    members.end();
    call.json(if change.entity == USER { "properties" } else { "traits" }, &values);
    let mut context = Vec::new();
    let mut members = ObjectWriter::begin(&mut context);
    members.json("personas", &personas(computation.class(), tag, application));
    members.json("tagstream", object);
    members.end();
    call.json("context", &context);
    call.end();
}

fn personas(class: &str, tag: &str, application: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut members = ObjectWriter::begin(&mut out);
    members.text("computation_class", class);
    members.text("computation_id", tag);
    members.text("computation_key", tag);
    members.text("namespace", application);
    members.text("space_id", application);
    members.end();
    out
}

/// Appends the members of one JSON object.
struct ObjectWriter<'a> {
    out: &'a mut Vec<u8>,
    is_first: bool,
}

impl<'a> ObjectWriter<'a> {
    fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        ObjectWriter { out, is_first: true }
    }

    fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        push_string(text, self.out);
    }

    /// A value that is JSON already.
    fn json(&mut self, name: &str, value: &[u8]) {
        self.name(name);
        self.out.extend_from_slice(value);
    }

    fn name(&mut self, name: &str) {
        if !std::mem::take(&mut self.is_first) {
            self.out.push(b',');
        }
        push_string(name, self.out);
        self.out.push(b':');
    }

    fn end(self) {
        self.out.push(b'}');
    }
}
