//! What came to a tag and what left it, how often, and why.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::model::{DAY_MS, HOUR_MS, Timestamp};
use crate::serve::api::answer::{catch_up, json, read};
use crate::serve::api::context::{ApiContext, AsOf};
use crate::serve::api::problem::{ApiError, HistoryBeingRead, NotModified, ProblemDocument, WrongParameter};
use crate::serve::api::request::Parameters;
use crate::serve::api::tags::{TagDocument, tag};
use crate::serve::history::{HistoryView, HourCount, ReasonCount, TagFigures};
use crate::serve::replica::ReplicaView;

const WEEK_MS: i64 = 7 * DAY_MS;
/// Steps of a series.
const STEPS_MAX: i64 = 2_000;

/// The size of a tag at the end of an hour or a day, and what happened in it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SizeStep {
    pub from: String,
    /// At its end, or now.
    pub size: i64,
    pub entered: i64,
    pub changed: i64,
    pub left: i64,
}

/// The steps of a series, as a question names them.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code, reason = "only described: the parameter is read as a text")]
enum SeriesStep {
    Hour,
    Day,
}

/// What happened to a tag.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FiguresAnswer {
    pub as_of: AsOf,
    pub tag: String,
    pub size: u64,
    /// The instant from which on no change is missing; null: none is missing.
    pub reaches: Option<String>,
    #[schema(value_type = Object)]
    pub hour: TagFigures,
    #[schema(value_type = Object)]
    pub day: TagFigures,
    #[schema(value_type = Object)]
    pub week: TagFigures,
    /// Those who entered and those who left in the last week, over twice the size: 1 where as many came and went as have it.
    /// Null where nobody has it.
    pub volatility: Option<f64>,
    /// The most frequent reasons among the latest 10,000 changes of the last week.
    #[schema(value_type = Vec<Object>)]
    pub reasons: Vec<ReasonCount>,
    /// The oldest first.
    pub series: Vec<SizeStep>,
}

/// How far back a series goes, and by which steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeriesSteps {
    pub since_ms: i64,
    pub step_ms: i64,
}

/// How many came to a tag and left it, and its size over time.
#[derive(Clone, Debug)]
pub struct TagFlow {
    pub size: u64,
    pub hour: TagFigures,
    pub day: TagFigures,
    pub week: TagFigures,
    /// The oldest first.
    pub series: Vec<SizeStep>,
}

impl TagFlow {
    /// Of a tag with this size in the view.
    ///
    /// # Errors
    /// The history cannot be read, or the answer takes too long.
    pub fn of(
        history: &HistoryView<'_>,
        view: &ReplicaView,
        of: (&str, &str),
        size: u64,
        steps: SeriesSteps,
    ) -> Result<Self, ApiError> {
        let SeriesSteps { since_ms, step_ms } = steps;
        let now = view.clock().unwrap_or(Timestamp::MIN);
        let within = |ms: i64| history.figures(of, now.plus(-ms), now);
        // Changes after the view's clock, of partitions that are ahead, belong to the last step.
        let hours = history.hours(of, now.plus(-since_ms - step_ms), Timestamp::MAX)?;
        let series = series(&hours, size, step_ms, (now.plus(-since_ms), now));
        Ok(TagFlow { size, hour: within(HOUR_MS)?, day: within(DAY_MS)?, week: within(WEEK_MS)?, series })
    }
}

impl FiguresAnswer {
    /// Of a tag by its name.
    ///
    /// # Errors
    /// There is no such tag, or the history cannot be read.
    pub fn of(history: &HistoryView<'_>, view: &ReplicaView, name: &str, steps: SeriesSteps) -> Result<Self, ApiError> {
        let (id, found) = tag(view, name)?;
        let of = (&*view.compiled.catalog.entity(found.entity).name, name);
        let now = view.clock().unwrap_or(Timestamp::MIN);
        let moves = TagFlow::of(history, view, of, TagDocument::of(view, id, found).size, steps)?;
        let TagFlow { size, hour, day, week, series } = moves;
        Ok(FiguresAnswer {
            as_of: AsOf::of(view),
            tag: name.to_owned(),
            size,
            reaches: history.reaches()?.map(|reaches| reaches.to_string()),
            hour,
            day,
            week,
            volatility: (size > 0).then(|| (week.entered + week.left) as f64 / (2.0 * size as f64)),
            reasons: history.reasons(of, now.plus(-WEEK_MS))?,
            series,
        })
    }
}

/// The hours as steps, each with the size at its end: from the present size backwards.
fn series(hours: &[HourCount], size: u64, step_ms: i64, (since, now): (Timestamp, Timestamp)) -> Vec<SizeStep> {
    let start = |at: Timestamp| at.ms().div_euclid(step_ms) * step_ms;
    let mut size = i64::try_from(size).unwrap_or(i64::MAX);
    let (mut steps, mut left) = (Vec::new(), hours);
    let mut from = start(now);
    while from >= start(since) {
        let first = left.partition_point(|hour| hour.from.ms() < from);
        let mut counts = TagFigures::default();
        for hour in &left[first..] {
            counts.entered += hour.counts.entered;
            counts.changed += hour.counts.changed;
            counts.left += hour.counts.left;
        }
        left = &left[..first];
        let TagFigures { entered, changed, left } = counts;
        steps.push(SizeStep { from: Timestamp::from_ms(from).to_string(), size, entered, changed, left });
        size -= entered - left;
        from -= step_ms;
    }
    steps.reverse();
    steps
}

/// What came to a tag and what left it in the last hour, day and week, its reasons, and its size over time.
#[utoipa::path(
    get, path = "/v1/tags/{tag}/figures", tag = "tags",
    params(
        ("tag" = String, Path, description = "The tag"),
        ("since" = Option<String>, Query, pattern = r"^[0-9]+(ms|s|m|h|d|w)$", description = "How far back the series goes: 30d without it"),
        ("by" = inline(Option<SeriesStep>), Query, description = "The steps of the series: hour or day; day without it"),
    ),
    responses(
        (status = 200, description = "The figures", body = FiguresAnswer),
        NotModified, WrongParameter,
        (status = 404, description = "No such tag, or no history", body = ProblemDocument, content_type = "application/problem+json"),
        HistoryBeingRead,
    )
)]
pub(in crate::serve::api) async fn figures(
    State(context): State<ApiContext>,
    Path(name): Path<String>,
    mut parameters: Parameters,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let since_ms = parameters.duration_ms("since", "30d", "36500d")?;
    let step_ms = match parameters.one("by")?.as_deref() {
        None | Some("day") => DAY_MS,
        Some("hour") => HOUR_MS,
        Some(other) => return Err(ApiError::Wrong(format!("by={other} is neither hour nor day"))),
    };
    parameters.end()?;
    if since_ms / step_ms > STEPS_MAX {
        return Err(ApiError::Wrong(format!("a series has at most {STEPS_MAX} steps; ask for less, or by day")));
    }
    let view = context.view(None)?;
    tag(&view, &name)?;
    catch_up(&context).await?;
    let steps = SeriesSteps { since_ms, step_ms };
    let answer = read(&context, move |history| FiguresAnswer::of(history, &view, &name, steps));
    Ok(json(&headers, &answer.await?))
}
