//! How many requests wait for a decision: told by one stream, on the pages where somebody waits for it.

use domain::frame::LineDecoder;
use futures::StreamExt as _;
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local_scoped_with_cancellation;

use crate::AppError;
use crate::api::approvals::watch_waiting;

/// The pause before the stream is tried again, in milliseconds.
const PAUSE: u32 = 5_000;

/// Counts the news of the stream as long as the page lives, so that a page can load its data again with each.
///
/// A browser keeps few connections to one host: the stream is only open on pages that show what it tells.
pub fn news() -> RwSignal<u32> {
    let news = RwSignal::new(0);
    Effect::new(move |_| spawn_local_scoped_with_cancellation(listen(news)));
    news
}

async fn listen(news: RwSignal<u32>) {
    loop {
        match once(news).await {
            Err(AppError::SignedOut | AppError::Denied(_)) => return,
            _ => TimeoutFuture::new(PAUSE).await,
        }
    }
}

/// One stream, to its end. Its first line tells what the page knows already.
async fn once(news: RwSignal<u32>) -> Result<(), AppError> {
    let mut chunks = watch_waiting().await?.into_inner();
    let mut lines = LineDecoder::default();
    let mut known = None;
    while let Some(chunk) = chunks.next().await {
        for _ in lines.push(&chunk?) {
            if known.is_some() || news.get_untracked() > 0 {
                news.update(|news| *news += 1);
            }
            known = Some(());
        }
    }
    // What happened until the next stream is open is loaded then.
    news.update(|news| *news += 1);
    Ok(())
}
