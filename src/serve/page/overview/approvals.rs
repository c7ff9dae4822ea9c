//! What waits for approval, and the button that lets it take effect.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::words::OverviewWords;
use crate::serve::access::Scope;
use crate::serve::api::{ApiError, ApprovalAnswer, Body, HeldImpact, Parameters, TagDocument, TagList};
use crate::serve::page::frame::{PageContext, PageReader, hidden, tag_path};
use crate::serve::page::words::Count;

/// Tags that are held; nothing where there are none.
pub(super) fn approvals(context: &PageContext, reader: &PageReader, list: &TagList) -> Markup {
    let say = OverviewWords(reader.language);
    let held: Vec<&TagDocument> = list.tags.iter().filter(|tag| tag.held).collect();
    let can_approve = reader.may(Scope::Catalog) && context.api.approver().is_on();
    html! {
        div id="approvals" data-live {
            @if !held.is_empty() {
                section.notice aria-labelledby="approvals-title" {
                    h2 id="approvals-title" { (say.approvals()) }
                    p { (say.approvals_about()) }
                    ul {
                        @for tag in held { li data-held=(tag.tag) {
                            @let title = reader.language.title(&tag.title, &tag.tag);
                            a href=(tag_path(&tag.tag)) { bdi { (title) } } " (" (say.has_now(Count(tag.size)))
                            @if let Some(HeldImpact { differ, added, .. }) = tag.impact {
                                (reader.language.comma()) (say.would_differ(Count(differ))) (reader.language.comma()) (say.would_come(Count(added)))
                            }
                            ") "
                            @if can_approve { (button(say, &tag.tag, title)) }
                        } }
                    }
                    @if reader.may(Scope::Catalog) && !can_approve { p { (say.approve_elsewhere()) } }
                }
            }
        }
    }
}

fn button(say: OverviewWords, tag: &str, title: &str) -> Markup {
    html! {
        form.inline method="post" action="/approve" {
            (hidden("tag", tag))
            button type="submit" aria-label=(say.approve_tag(title)) { (say.approve()) }
        }
    }
}

/// Approves a tag, and leads back to the overview.
pub(in crate::serve::page) async fn approve(
    State(context): State<PageContext>,
    reader: PageReader,
    body: Body,
) -> Result<Response, ApiError> {
    let mut fields = Parameters::of_form(&body);
    let tags = fields.all("tag");
    fields.end()?;
    ApprovalAnswer::of(&context.api, reader.caller()?, tags).await?;
    Ok((StatusCode::SEE_OTHER, [(LOCATION, "/?done=approved")]).into_response())
}
