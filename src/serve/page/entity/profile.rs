//! What is known of an entity: tags with since when and why, those that are off, attributes, counters, and what comes.

use maud::{Markup, html};
use serde_json::Value as Json;

use super::sentences::Told;
use super::words::EntityWords;
use crate::catalog::{Tag, TagId};
use crate::engine::Explanation;
use crate::model::Timestamp;
use crate::serve::access::Scope;
use crate::serve::api::{Profile, ProfileChange, titles};
use crate::serve::page::frame::{PageReader, entity_path, key, tag_path, value};
use crate::serve::page::words::{Code, Language, Times, rich};
use crate::serve::replica::ReplicaView;

/// An entity in one view.
pub(super) struct EntityFacts {
    pub profile: Profile,
    pub explained: Vec<(TagId, Explanation)>,
}

/// Who asks, in which view.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    pub reader: &'a PageReader,
    pub view: &'a ReplicaView,
    pub times: &'a Times,
}

/// A tag's title in a language.
pub(super) fn title(language: Language, tag: &Tag) -> String {
    language.title(&titles(tag), &tag.name).to_owned()
}

impl Shown<'_> {
    fn say(self) -> EntityWords {
        EntityWords(self.reader.language)
    }

    /// The title of a tag by its name.
    pub(super) fn title_of(self, name: &str) -> String {
        let found = self.view.compiled.catalog.tags.iter().find(|tag| *tag.name == *name);
        found.map_or_else(|| name.to_owned(), |tag| title(self.reader.language, tag))
    }

    fn instant(self, text: &str) -> Option<Timestamp> {
        Timestamp::parse(text).ok()
    }

    /// Since when it is known, and until when.
    pub(super) fn life(self, facts: &EntityFacts) -> Markup {
        let (say, clock) = (self.say(), facts.profile.clock.as_deref().and_then(|clock| self.instant(clock)));
        let seen = |text: &Option<String>| text.as_deref().and_then(|text| self.instant(text));
        let expiry = facts.explained.first().and_then(|(_, explanation)| explanation.expiry);
        html! {
            p {
                @if let Some(first) = seen(&facts.profile.first_seen) {
                    (say.first_seen(&self.times.minute_text(first))) " "
                }
                @if let (Some(last), Some(clock)) = (seen(&facts.profile.last_seen), clock) {
                    (say.last_seen(&self.times.minute_text(last), self.times.between(last, clock)))
                }
            }
            @if let (Some(expiry), Some(clock)) = (expiry, clock) {
                p { (say.forgotten(
                    &self.times.minute_text(expiry.at),
                    self.times.between(expiry.at, clock),
                    self.times.length(expiry.silent_ms),
                )) }
            }
        }
    }

    /// The tags that it had at a past instant, and that nothing else is known of then.
    pub(super) fn past(self, profile: &Profile, instant: Timestamp) -> Markup {
        let say = self.say();
        html! {
            p.notice role="note" {
                (say.past(&self.times.minute_text(instant))) " " a href=(entity_path(&profile.entity, &profile.key)) { (say.past_now()) }
            }
            section id="tags" aria-labelledby="tags-title" {
                h2 id="tags-title" { (say.tags()) }
                @if profile.tags.is_empty() { p.quiet { (say.past_tags_none()) } }
                ul.tags { @for tag in &profile.tags {
                    li.card data-tag=(tag.tag) {
                        h3 {
                            bdi { (self.title_of(&tag.tag)) }
                            @if tag.value != Json::Bool(true) { " " span.chip { (value(&tag.value)) } }
                        }
                        @if let Some(since) = tag.since.as_deref().and_then(|since| self.instant(since)) {
                            p { (say.since(&self.times.minute_text(since), self.times.between(since, instant))) }
                        } @else {
                            p { (say.past_since()) }
                        }
                    }
                } }
            }
        }
    }

    /// The tags that it has, each with its reasons; then those that it has not, with what they lack.
    pub(super) fn tags(self, facts: &EntityFacts) -> Markup {
        let say = self.say();
        let is_on = |(_, explanation): &&(TagId, Explanation)| explanation.value.is_some();
        let (on, off): (Vec<_>, Vec<_>) = facts.explained.iter().partition(is_on);
        html! {
            section id="tags" aria-labelledby="tags-title" {
                h2 id="tags-title" { (say.tags()) }
                @if on.is_empty() { p.quiet { (say.tags_none()) } }
                ul.tags { @for (id, explanation) in on { (self.tag(facts, *id, explanation)) } }
            }
            section id="off" aria-labelledby="off-title" {
                h2 id="off-title" { (say.off()) }
                @if off.is_empty() { p.quiet { (say.off_none()) } }
                ul.tags { @for (id, explanation) in off { (self.tag(facts, *id, explanation)) } }
            }
        }
    }

    fn tag(self, facts: &EntityFacts, id: TagId, explanation: &Explanation) -> Markup {
        let (say, tag) = (self.say(), self.view.compiled.catalog.tag(id));
        let told = Told { times: self.times, definition: &tag.definition, explanation };
        let has = facts.profile.tags.iter().find(|has| *has.tag == *tag.name);
        let name = title(self.reader.language, tag);
        html! {
            li.card data-tag=(tag.name) {
                h3 {
                    @if self.reader.may(Scope::Audience) {
                        a href=(tag_path(&tag.name)) { bdi { (name) } }
                    } @else {
                        bdi { (name) }
                    }
                    @if let Some(has) = has.filter(|has| has.value != Json::Bool(true)) {
                        " " span.chip { (value(&has.value)) }
                    }
                    @if has.is_some_and(|has| has.held) { " " span.chip { (say.held()) } }
                }
                @if let Some(since) = explanation.since.filter(|_| has.is_some()) {
                    p { (say.since(&self.times.minute_text(since), self.times.between(since, explanation.at))) }
                }
                details open[has.is_none()] {
                    summary { (say.why()) }
                    (told.paragraphs())
                }
            }
        }
    }

    /// The next change of each tag, the earliest first.
    pub(super) fn next(self, facts: &EntityFacts) -> Markup {
        let (say, next) = (self.say(), facts.profile.next.as_deref().unwrap_or_default());
        html! {
            section id="next" aria-labelledby="next-title" {
                h2 id="next-title" { (say.next()) }
                @if next.is_empty() { p.quiet { (say.next_nothing()) } }
                ol.steps { @for change in next { li { (self.step(facts, change)) } } }
            }
        }
    }

    fn step(self, facts: &EntityFacts, change: &ProfileChange) -> Markup {
        let (say, name) = (self.say(), self.title_of(&change.tag));
        let sentence = match &change.value {
            Json::Null => say.ends(&name),
            Json::Bool(true) => say.comes(&name),
            value => say.becomes(&name, Code(&json_text(value))),
        };
        let clock = facts.profile.clock.as_deref().and_then(|clock| self.instant(clock));
        let at = self.instant(&change.at);
        html! {
            (self.times.read(&change.at))
            @if let (Some(at), Some(clock)) = (at, clock) { " (" (say.in_length(self.times.between(at, clock))) ")" }
            ": " (rich(&sentence))
        }
    }

    /// Attributes with their times, and counters with what they have seen.
    pub(super) fn values(self, facts: &EntityFacts) -> Markup {
        let (say, Profile { attributes, counters, .. }) = (self.say(), &facts.profile);
        let attributes = attributes.as_deref().unwrap_or_default();
        let counters = counters.as_deref().unwrap_or_default();
        let complete = |counter: &crate::serve::api::ProfileCounter| match &counter.complete_at {
            _ if counter.complete => html! { (say.is_complete()) },
            Some(at) => {
                html! { span.chip { (say.complete_from(&self.instant(at).map_or_else(|| at.clone(), |at| self.times.minute_text(at)))) } }
            }
            None => html! { span.chip { (say.complete_never()) } },
        };
        html! {
            section id="attributes" aria-labelledby="attributes-title" {
                h2 id="attributes-title" { (say.attributes()) }
                @if attributes.is_empty() { p.quiet { (say.attributes_none()) } } @else {
                    (table(&say.attributes(), &[say.name(), say.value(), say.set_at()], attributes.iter().map(|one| {
                        (one.name.as_str(), value(&one.value), self.times.read(&one.time))
                    })))
                }
            }
            section id="counters" aria-labelledby="counters-title" {
                h2 id="counters-title" { (say.counters()) }
                @if counters.is_empty() { p.quiet { (say.counters_none()) } } @else {
                    (table(&say.counters(), &[say.name(), say.value(), say.complete()], counters.iter().map(|one| {
                        (one.name.as_str(), value(&one.value), complete(one))
                    })))
                }
            }
        }
    }
}

fn table<'a>(label: &str, heads: &[String; 3], rows: impl Iterator<Item = (&'a str, Markup, Markup)>) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(label) {
            table {
                thead { tr { @for head in heads { th scope="col" { (head) } } } }
                tbody {
                    @for (name, value, note) in rows {
                        tr data-name=(name) { th scope="row" { code { (key(name)) } } td.value { (value) } td { (note) } }
                    }
                }
            }
        }
    }
}

/// A value of an answer as a text: a string without its quotes.
pub(super) fn json_text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
