//! What the page of an audience shows: everything of one view.

use std::sync::Arc;

use super::question::AudienceForm;
use crate::catalog::Problem;
use crate::model::{EntityKindId, Timestamp};
use crate::serve::api::{
    ApiContext, ApiError, Asked, AudienceAnswer, BreakdownAnswer, CompareAnswer, Cursor, MembersAnswer, OverlapAnswer,
    PageOf, at, catch_up, read,
};
use crate::serve::audience::{Audience, Dimension};
use crate::serve::page::frame::instant_in;
use crate::serve::replica::ReplicaView;

/// Members of a page.
const MEMBERS: usize = 50;
/// Keys of those who came and went.
const SAMPLE: usize = 10;

/// Why a part of the page has no figures.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    /// A field's expression has errors: its text, and they.
    Expression(String, Vec<Problem>),
    Other(String),
}

/// The figures of a part, if it is asked for.
pub(super) type Part<T> = Option<Result<T, Trouble>>;

/// What the page shows.
pub(super) struct AudienceFacts {
    pub view: Arc<ReplicaView>,
    pub kind: EntityKindId,
    pub entity: String,
    /// The past instant of which it is.
    pub at: Option<Timestamp>,
    pub size: Result<AudienceAnswer, Trouble>,
    pub members: Option<MembersAnswer>,
    pub breakdown: Part<BreakdownAnswer>,
    pub overlap: Part<OverlapAnswer>,
    pub compared: Part<CompareAnswer>,
}

/// How much of it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AudienceExtent {
    SizeAlone,
    Everything,
}

/// What is left of an error that is the reader's to mend; others are the page's.
fn trouble(error: ApiError, text: &str) -> Result<Trouble, ApiError> {
    match error {
        ApiError::Expression(_, problems) => Ok(Trouble::Expression(text.to_owned(), problems)),
        // Only without a history is a part of an audience unknown.
        ApiError::Wrong(detail) | ApiError::Unknown(detail) => Ok(Trouble::Other(detail)),
        error => Err(error),
    }
}

impl AudienceFacts {
    pub(super) async fn of(api: &ApiContext, form: &AudienceForm, extent: AudienceExtent) -> Result<Self, ApiError> {
        let cursor = form.cursor.as_deref().map(Cursor::parse).transpose()?;
        let everyone = Asked::read(api, None, form.entity.as_deref(), cursor.map(|cursor| cursor.view))?;
        let mut facts = AudienceFacts {
            view: Arc::clone(&everyone.view),
            kind: everyone.kind,
            entity: everyone.entity.clone(),
            at: None,
            size: Err(Trouble::Other(String::new())),
            members: None,
            breakdown: None,
            overlap: None,
            compared: None,
        };
        let text = form.condition.clone().unwrap_or_default();
        match facts.read(api, form, (everyone, cursor), extent).await {
            Ok(()) => {}
            Err(error) => facts.size = Err(trouble(error, &text)?),
        }
        Ok(facts)
    }

    async fn read(
        &mut self,
        api: &ApiContext,
        form: &AudienceForm,
        (everyone, cursor): (Asked, Option<Cursor>),
        extent: AudienceExtent,
    ) -> Result<(), ApiError> {
        let zone = &self.view.compiled.catalog.timezone;
        let asked = match &form.condition {
            Some(condition) => everyone.beside("where", condition)?,
            None => everyone,
        };
        let instant = form.as_of.as_deref().map(|text| instant_in(zone, "as_of", text)).transpose()?;
        self.at = instant;
        let view = Arc::clone(&self.view);
        if extent == AudienceExtent::SizeAlone {
            let tags = asked.tags([]);
            let answer = at(api, view, instant, tags, move |view| Ok(AudienceAnswer::of(&asked, view, instant, 0)?));
            self.size = Ok(answer.await?);
            return Ok(());
        }
        let (by, by_trouble) = all_of(&form.by, |text| asked.dimension(text))?;
        let (others, others_trouble) = all_of(&form.others, |text| Ok(asked.beside("with", text)?.audience))?;
        let page = PageOf { from: cursor.map_or((0, 0), |cursor| cursor.from), limit: MEMBERS };
        let read = by.iter().filter_map(Dimension::tag);
        let tags = asked.tags(read.chain(others.iter().flat_map(|other| other.tags().iter().copied())));
        let of = asked.clone();
        let answers = at(api, view, instant, tags, move |view| {
            let size = AudienceAnswer::of(&of, view, instant, 0)?;
            let members = MembersAnswer::of(&of, view, instant, &[], page)?;
            let breakdown = (!by.is_empty()).then(|| BreakdownAnswer::of(&of, view, instant, &by));
            let overlap = (!others.is_empty()).then(|| {
                let all: Vec<Audience> = [of.audience.clone()].into_iter().chain(others).collect();
                OverlapAnswer::of(&of, view, instant, &all).map_err(ApiError::from)
            });
            Ok((size, members, breakdown, overlap))
        });
        let (size, members, breakdown, overlap) = answers.await?;
        if members.cursor.is_some() {
            api.pin(&self.view);
        }
        (self.size, self.members) = (Ok(size), Some(members));
        self.breakdown = part(breakdown, by_trouble, &form.by.join(", "))?;
        self.overlap = part(overlap, others_trouble, &form.others.join(", "))?;
        self.compared = self.compare(api, form, asked).await?;
        Ok(())
    }

    async fn compare(
        &self,
        api: &ApiContext,
        form: &AudienceForm,
        asked: Asked,
    ) -> Result<Part<CompareAnswer>, ApiError> {
        let Some(from) = &form.from else { return Ok(None) };
        let zone = &self.view.compiled.catalog.timezone;
        let answer = async {
            let from = instant_in(zone, "from", from)?;
            let to = form.to.as_deref().map(|to| instant_in(zone, "to", to)).transpose()?;
            catch_up(api).await?;
            read(api, move |history| CompareAnswer::of(&asked, (from, to), SAMPLE, history)).await
        };
        part(Some(answer.await), None, form.condition.as_deref().unwrap_or_default())
    }
}

/// A part of the page, or what is wrong with its fields.
fn part<T>(answer: Option<Result<T, ApiError>>, known: Option<Trouble>, text: &str) -> Result<Part<T>, ApiError> {
    match (known, answer) {
        (Some(trouble), _) => Ok(Some(Err(trouble))),
        (None, None) => Ok(None),
        (None, Some(Ok(answer))) => Ok(Some(Ok(answer))),
        (None, Some(Err(error))) => Ok(Some(Err(trouble(error, text)?))),
    }
}

/// What some fields say, or what is wrong with the first that is wrong.
fn all_of<T>(
    texts: &[String],
    read: impl Fn(&str) -> Result<T, ApiError>,
) -> Result<(Vec<T>, Option<Trouble>), ApiError> {
    let mut all = Vec::new();
    for text in texts {
        match read(text) {
            Ok(one) => all.push(one),
            Err(error) => return Ok((Vec::new(), Some(trouble(error, text)?))),
        }
    }
    Ok((all, None))
}
