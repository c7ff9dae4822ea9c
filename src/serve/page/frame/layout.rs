//! The frame of a page: header, navigation, the line that says as of when, footer.

use axum::http::header::ETAG;
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use xxhash_rust::xxh3::xxh3_64;

use super::reader::{ColourScheme, PageReader};
use super::words::FrameWords;
use crate::serve::access::Scope;
use crate::serve::page::assets::Asset;
use crate::serve::page::words::Language;
use crate::serve::replica::ReplicaView;

/// Where a page stands in the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve::page) enum NavPlace {
    Overview,
    Audience,
    Live,
    Catalog,
    Elsewhere,
}

/// A page: what it says, and what is around it.
pub(in crate::serve::page) struct PageFrame<'a> {
    pub reader: &'a PageReader,
    pub place: NavPlace,
    pub title: &'a str,
    /// The view of which all figures of the page are; `None`: the page has none.
    pub view: Option<&'a ReplicaView>,
    pub scripts: &'a [Asset],
    pub body: Markup,
}

impl PageFrame<'_> {
    /// The page as it is sent.
    pub(in crate::serve::page) fn render(self) -> Response {
        let text = self.document().into_string();
        let tag = format!("\"{:016x}\"", xxh3_64(text.as_bytes()));
        ([(ETAG, tag)], Html(text)).into_response()
    }

    fn document(&self) -> Markup {
        let PageFrame { reader, title, .. } = *self;
        let say = FrameWords(reader.language);
        html! {
            (DOCTYPE)
            html lang=(reader.language.code()) data-colours=(reader.colours.name()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (title) " · tagstream" }
                    link rel="stylesheet" href=(Asset::Style.path());
                    link rel="icon" type="image/svg+xml" href=(Asset::Icon.path());
                    @for script in self.scripts { script type="module" src=(script.path()) {} }
                }
                body {
                    a.skip href="#content" { (say.skip()) }
                    (self.header(say))
                    main id="content" tabindex="-1" {
                        h1 { (title) }
                        @if let Some(view) = self.view { (as_of(reader, view, say)) }
                        @if let (Some(running), Some(_)) = (&reader.other_catalog, self.view) {
                            p.notice role="note" { (say.other_catalog(running)) }
                        }
                        (self.body)
                    }
                    (self.footer(say))
                    p.hidden id="announcement" role="status" aria-live="polite" {}
                }
            }
        }
    }

    fn header(&self, say: FrameWords) -> Markup {
        let links = [
            (NavPlace::Overview, "/", say.overview(), None),
            (NavPlace::Audience, "/audience", say.audience(), Some(Scope::Audience)),
            (NavPlace::Live, "/live", say.live(), Some(Scope::Audience)),
            (NavPlace::Catalog, "/catalog", say.catalog(), Some(Scope::Catalog)),
        ];
        let shown =
            |scope: Option<Scope>| self.reader.caller.is_some() && scope.is_none_or(|scope| self.reader.may(scope));
        html! {
            header.top {
                a.brand href="/" { "tagstream" }
                nav aria-label=(say.main_navigation()) {
                    ul {
                        @for (place, path, name, scope) in &links {
                            @if shown(*scope) {
                                li { a href=(path) aria-current=[(self.place == *place).then_some("page")] { (name) } }
                            }
                        }
                    }
                }
                @if self.reader.may(Scope::Profile) { (self.search(say)) }
            }
        }
    }

    fn search(&self, say: FrameWords) -> Markup {
        html! {
            form.search role="search" action="/entities" method="get" {
                @if self.reader.entities.len() > 1 {
                    label.hidden for="search-kind" { (say.search_kind()) }
                    select id="search-kind" name="kind" {
                        @for name in &self.reader.entities { option value=(name) { (name) } }
                    }
                } @else if let Some(name) = self.reader.entities.first() {
                    (hidden("kind", name))
                }
                label.hidden for="search-key" { (say.search_key()) }
                input id="search-key" name="key" type="search" required placeholder=(say.search())
                    autocomplete="off" autocapitalize="none" spellcheck="false";
                button type="submit" { (say.search_go()) }
            }
        }
    }

    fn footer(&self, say: FrameWords) -> Markup {
        let PageReader { language, colours, caller, has_session, here, .. } = self.reader;
        html! {
            footer {
                form.switches method="post" action="/switches" aria-label=(say.settings()) {
                    (hidden("back", here))
                    label { (say.language()) " "
                        select name="language" {
                            @for one in Language::ALL {
                                option value=(one.code()) lang=(one.code()) selected[one == *language] { (one.own_name()) }
                            }
                        }
                    }
                    label { (say.colours()) " "
                        select name="colours" {
                            @for one in ColourScheme::ALL {
                                option value=(one.name()) selected[one == *colours] { (colours_name(say, one)) }
                            }
                        }
                    }
                    button type="submit" { (say.switch()) }
                }
                @if let (true, Some(caller)) = (*has_session, caller) {
                    form.session method="post" action="/sign-out" {
                        span { (say.signed_in_as(&caller.name)) }
                        button type="submit" { (say.sign_out()) }
                    }
                }
            }
        }
    }
}

fn colours_name(say: FrameWords, colours: ColourScheme) -> String {
    match colours {
        ColourScheme::System => say.colours_system(),
        ColourScheme::Light => say.colours_light(),
        ColourScheme::Dark => say.colours_dark(),
    }
}

/// The line that says as of when a page is.
fn as_of(reader: &PageReader, view: &ReplicaView, say: FrameWords) -> Markup {
    let times = reader.times(view);
    html! {
        p.as-of id="as-of" data-live title=(say.view(view.number)) {
            @match view.clock() {
                Some(clock) => { (say.as_of()) " " (times.second(clock)) (reader.language.full_stop()) " " }
                None => { (say.as_of_nothing()) " " }
            }
            span.quiet { (say.time_zone(times.zone_name())) }
        }
    }
}

/// A field of a form that the reader does not see.
pub(in crate::serve::page) fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}
