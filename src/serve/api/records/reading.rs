//! How the history is read, and what its errors mean to who asks.

use std::time::{Duration, Instant};

use crate::model::Timestamp;
use crate::serve::api::answer::work;
use crate::serve::api::context::ApiContext;
use crate::serve::api::problem::ApiError;
use crate::serve::audience::PastError;
use crate::serve::history::{History, HistoryError, HistoryView};

/// An answer that takes longer is given up.
const READ_MAX: Duration = Duration::from_secs(20);
/// How long an answer waits for the history to have what the state has.
const CATCH_UP_MAX: Duration = Duration::from_secs(5);

impl From<HistoryError> for ApiError {
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::OutOfReach { .. } | HistoryError::TooLong => ApiError::Wrong(error.to_string()),
            error => ApiError::Failed(error.to_string()),
        }
    }
}

impl From<PastError> for ApiError {
    fn from(error: PastError) -> Self {
        match error {
            PastError::History(error) => error.into(),
            error => ApiError::Wrong(error.to_string()),
        }
    }
}

/// The history, if there is one.
pub(super) fn history(context: &ApiContext) -> Result<&History, ApiError> {
    let off = "there is no history: set serve.directory to a folder in which tag changes are kept";
    context.history().ok_or_else(|| ApiError::Unknown(off.to_owned()))
}

/// Reads the history beside the threads that answer.
pub(super) async fn read<T: Send + 'static>(
    context: &ApiContext,
    answer: impl FnOnce(&HistoryView<'_>) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let reader = history(context)?.reader.clone();
    work(context.scans(), move || {
        reader.read(Instant::now() + READ_MAX, |view| Ok(answer(view))).map_err(ApiError::from)?
    })
    .await
}

/// Waits until the history has every change that a view has which was shown before the call.
pub(super) async fn catch_up(context: &ApiContext) -> Result<(), ApiError> {
    if history(context)?.catch_up(CATCH_UP_MAX).await {
        return Ok(());
    }
    let trouble = history(context)?.status().trouble;
    Err(ApiError::NotReady(vec![trouble.unwrap_or_else(|| "the history is still reading the tag changes".to_owned())]))
}

/// An instant of a question.
pub(super) fn instant(name: &str, text: &str) -> Result<Timestamp, ApiError> {
    Timestamp::parse(text).map_err(|error| ApiError::Wrong(format!("{name}={text} is {error}")))
}
