//! What can be done to an entity: a manual tag is set or removed; it is erased, once that is confirmed.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::profile::{Shown, title};
use super::words::EntityWords;
use crate::catalog::{Tag, TagDefinition};
use crate::model::EntityKindId;
use crate::serve::access::Scope;
use crate::serve::api::{ApiError, Parameters, kind};
use crate::serve::page::frame::{PageContext, PageFrame, PageReader, Place, entity_path, hidden};
use crate::serve::page::words::visible;

/// The forms, for those who may write.
pub(super) fn forms(shown: Shown<'_>, of: EntityKindId, entity: &str, key: &str) -> Markup {
    let (say, catalog) = (EntityWords(shown.reader.language), &shown.view.compiled.catalog);
    if !shown.reader.may(Scope::Write) {
        return html! {};
    }
    if catalog.entity(of).key.is_some() {
        return html! { p.quiet { (say.act_users_only()) } };
    }
    let is_manual = |tag: &&Tag| tag.entity == of && matches!(tag.definition, TagDefinition::Manual { .. });
    let manual: Vec<&Tag> = catalog.tags.iter().filter(is_manual).collect();
    html! {
        @if !manual.is_empty() {
            section id="act" aria-labelledby="act-title" {
                h2 id="act-title" { (say.act()) }
                (tag_form(shown, say, &manual, (entity, key)))
            }
        }
        section id="erase" {
            form method="get" action="/entities/erase" {
                (hidden("kind", entity))
                (hidden("key", key))
                button.danger type="submit" { (say.erase()) }
            }
        }
    }
}

fn tag_form(shown: Shown<'_>, say: EntityWords, manual: &[&Tag], (entity, key): (&str, &str)) -> Markup {
    html! {
        form.fields method="post" action="/entities/tag" {
            (hidden("kind", entity))
            (hidden("key", key))
            label { (say.act_tag())
                select name="tag" {
                    @for tag in manual { option value=(tag.name) { (title(shown.reader.language, tag)) } }
                }
            }
            label { (say.act_value())
                input name="value" autocomplete="off" aria-describedby="value-hint";
                span.hint id="value-hint" { (say.act_value_hint()) }
            }
            label { (say.act_valid_for())
                input name="valid_for" autocomplete="off" aria-describedby="valid-for-hint";
                span.hint id="valid-for-hint" { (say.act_valid_for_hint()) }
            }
            label { (say.act_note()) input name="note" maxlength="1000" autocomplete="off"; }
            div {
                button.main type="submit" name="do" value="set" { (say.act_set()) } " "
                button type="submit" name="do" value="remove" { (say.act_remove()) }
            }
        }
    }
}

/// The page on which an erasure is confirmed.
pub(in crate::serve::page) async fn confirm(
    State(context): State<PageContext>,
    reader: PageReader,
    mut parameters: Parameters,
) -> Result<Response, ApiError> {
    let say = EntityWords(reader.language);
    let wanted = |name: &str, value: Option<String>| value.ok_or_else(|| ApiError::Wrong(format!("{name} is missing")));
    let (entity, key) = (parameters.one("kind")?, parameters.one("key")?);
    parameters.end()?;
    let (entity, key) = (wanted("kind", entity)?, wanted("key", key)?);
    let view = context.api.view(None)?;
    kind(&view, &entity)?;
    let body = html! {
        p.notice { (say.erase_about()) }
        form.fields method="post" action="/entities/erase" {
            (hidden("kind", &entity))
            (hidden("key", &key))
            label { (say.act_note()) input name="note" maxlength="1000" autocomplete="off"; }
            div { label { input type="checkbox" name="sure" value="yes" required; " " (say.erase_sure()) } }
            div {
                button.danger type="submit" { (say.erase_go()) } " "
                a.button href=(entity_path(&entity, &key)) { (say.erase_cancel()) }
            }
        }
    };
    let title = say.erase_title(&visible(&key));
    let frame =
        PageFrame { reader: &reader, place: Place::Elsewhere, title: &title, view: Some(&view), scripts: &[], body };
    Ok(frame.render())
}
