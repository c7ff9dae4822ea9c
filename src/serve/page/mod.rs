//! The page: what the API answers, for people. HTML that is made here, in English and Chinese, with little script.
//!
//! A page asks the API's functions in the process, never over HTTP; the API does not know the page. All figures of a page
//! are made from one view, which its line "as of" names.
//!
//! # What is always true
//! - Without scripts every page says and does the same; scripts renew, filter and complete.
//! - Nothing is loaded from elsewhere, and no script or style stands in the HTML: the policy of the answers forbids it.
//! - A page shows nothing that its reader may not do, and the route refuses it, too.
//! - Texts of unknown origin (keys, values, notes, titles) are escaped, isolated, and shown with what they hide.
//!
//! # Map
//! A room imports only rooms above it.
//!
//! | room | holds |
//! | --- | --- |
//! | `words` | the languages; numbers and times; tables of words |
//! | `assets` | style, scripts, icon |
//! | `chart` | charts as SVG |
//! | `frame` | who reads; header, navigation, footer; what goes wrong |
//! | `session` | who may see a page; signing in; switches |
//! | `overview` | the tags with their sizes, what waits for approval, health |
//! | `tag` | one tag |
//! | `entity` | one person, or another kind of entity |
//! | `audience` | who fulfils an expression: size, divided, laid over others, compared, members |
//! | `catalog` | an edit of the catalog, its problems, its preview |
//! | `live` | changes as they come |
//! | `router` | all routes |
//!
//! # A new page
//! A room with its handler and its table of [`words`]; a line in [`router`]; its table in [`all_words`].

mod words;
mod assets;
mod chart;
mod frame;
mod session;
mod overview;
mod tag;
mod entity;
mod audience;
mod catalog;
mod live;
mod router;

pub use frame::PageContext;
pub use router::router;
pub use words::{Language, WordRow};

/// The words of all pages.
pub fn all_words() -> impl Iterator<Item = WordRow> {
    let tables: [&'static [WordRow]; 8] = [
        frame::FrameWords::ALL,
        session::SessionWords::ALL,
        overview::OverviewWords::ALL,
        tag::TagWords::ALL,
        entity::EntityWords::ALL,
        audience::AudienceWords::ALL,
        catalog::CatalogWords::ALL,
        live::LiveWords::ALL,
    ];
    tables.into_iter().flatten().copied()
}
