//! The API: questions over HTTP, answers in JSON, errors as problem documents (RFC 9457), described by OpenAPI.
//!
//! Every answer is made from one view of the replica and says which (`as_of`). A question may name a view that was pinned,
//! so that several answers are of one instant. What takes long runs beside the threads that answer, a few at a time.
//!
//! | file | holds |
//! | --- | --- |
//! | [`problem`] | why a question is refused, as a document |
//! | [`request`] | parameters and bodies, read with their limits |
//! | [`context`] | what the routes have: the replica, pinned views, the feed's orders |
//! | [`answer`] | JSON with an ETag |
//! | [`admission`] | who may ask |
//! | [`probes`] | `/livez`, `/readyz`, `/metrics` |
//! | [`entities`] | one entity: its profile, now or at a past instant, and why a tag is as it is |
//! | [`audiences`] | sizes, breakdowns, overlaps; who is in an audience: pages, NDJSON, CSV |
//! | [`tags`] | the tags with their sizes, and their forecast |
//! | [`catalog`] | the catalog in force; another one checked, previewed, read |
//! | [`records`] | the history of an entity, an audience and a tag; changes as they come; commands |
//! | [`router`] | all routes, and their description |

mod problem;
mod request;
mod context;
mod answer;
mod admission;
mod probes;
mod entities;
mod audiences;
mod tags;
mod catalog;
mod records;
mod router;

pub(in crate::serve) use answer::{at, catch_up, read, work};
pub(in crate::serve) use audiences::members::{Cursor, MembersFormat, PageOf, columns, stream};
pub use audiences::members::{MembersAnswer, MembersQuestion};
pub(in crate::serve) use audiences::size::Asked;
pub use audiences::size::{
    AudienceAnswer, AudienceQuestion, BreakdownAnswer, BreakdownRow, Incomplete, OverlapAnswer, OverlapQuestion,
    OverlapRow,
};
pub use catalog::{ApprovalAnswer, CatalogAnswer, CatalogEntity, CheckAnswer, PreviewAnswer, PreviewRow, ReloadAnswer};
pub use context::{ApiContext, ApiParts, AsOf, RecordParts};
pub use entities::{Explained, Profile, ProfileAttribute, ProfileChange, ProfileCounter, ProfileTag};
pub(in crate::serve) use entities::{explanations, past_profile, titles};
pub use problem::{ApiError, ProblemDocument};
pub use records::{
    ChangesAnswer, CommandAnswer, CompareAnswer, CompareQuestion, ComparedPart, FiguresAnswer, SeriesSteps, SetTag,
    SizeStep, TagFlow,
};
pub(in crate::serve) use records::{CommandRequest, LiveFilter, after, cursor, stream_changes};
pub(in crate::serve) use request::{BODY_BYTES_MAX, Body, Parameters, kind};
pub use router::{description, router};
pub(in crate::serve) use tags::tag;
pub use tags::{ForecastAnswer, ForecastDay, ForecastRow, HeldImpact, LabelSize, TagAnswer, TagDocument, TagList};
