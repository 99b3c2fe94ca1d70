use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gmsa_core::admission::{Failure, Right};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::{AccessReviews, JOINED, Observer, SETTLING};
use crate::cache::rbac_watch::Changes;

#[derive(Default)]
struct Counts(Mutex<Vec<(&'static str, &'static str)>>);

impl Observer for Counts {
    fn access_review(&self, result: &'static str, source: &'static str) {
        self.0.lock().push((result, source));
    }
}

struct World {
    changes: Arc<Changes>,
    counts: Arc<Counts>,
    reviews: Arc<AccessReviews>,
    asked: AtomicUsize,
}

const SECOND: Duration = Duration::from_secs(1);

impl World {
    /// Watched and settled, with answers kept for ten seconds.
    async fn settled() -> Self {
        Self::keeping(Duration::from_secs(10)).await
    }

    async fn keeping(keep: Duration) -> Self {
        let changes = Arc::new(Changes::new());
        changes.watch_all();
        let counts = Arc::new(Counts::default());
        let observer: Arc<dyn Observer> = Arc::clone(&counts) as Arc<dyn Observer>;
        let reviews = Arc::new(AccessReviews::new(Arc::clone(&changes), keep, observer));
        let world = Self { changes, counts, reviews, asked: AtomicUsize::new(0) };
        tokio::time::advance(SETTLING).await;
        world
    }

    async fn ask(&self, answer: Right) -> Right {
        self.ask_with(async move { answer }).await
    }

    async fn ask_with(&self, answer: impl Future<Output = Right> + Send + 'static) -> Right {
        if let Some(right) = self.reviews.cached("key", tokio::time::Instant::now()) {
            return right;
        }
        self.reviews
            .ask("key".to_owned(), || {
                self.asked.fetch_add(1, Ordering::SeqCst);
                answer
            })
            .await
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[tokio::test(start_paused = true)]
async fn an_allowed_answer_is_remembered_for_its_time() {
    let world = World::settled().await;
    for _ in 0..3 {
        assert_eq!(world.ask(Right::Allowed).await, Right::Allowed);
    }
    assert_eq!(world.asked(), 1);
    tokio::time::advance(Duration::from_millis(9_999)).await;
    world.ask(Right::Allowed).await;
    assert_eq!(world.asked(), 1);
    tokio::time::advance(Duration::from_millis(2)).await;
    assert_eq!(world.ask(Right::Denied).await, Right::Denied);
    assert_eq!(world.counts.0.lock()[..2], [("allowed", "live"), ("allowed", "cache")]);
}

#[tokio::test(start_paused = true)]
async fn denials_and_errors_are_never_remembered() {
    let world = World::settled().await;
    let failure = Failure { timed_out: false, message: "away".to_owned() };
    for answer in [Right::Denied, Right::Unknown(failure), Right::Denied] {
        assert_eq!(world.ask(answer.clone()).await, answer);
    }
    assert_eq!(world.ask(Right::Allowed).await, Right::Allowed, "a grant works at the next try");
    assert_eq!(world.asked(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_change_drops_what_is_remembered_at_once() {
    let world = World::settled().await;
    world.ask(Right::Allowed).await;
    world.changes.note();
    assert_eq!(world.ask(Right::Denied).await, Right::Denied);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_remembered_until_the_api_server_has_settled() {
    let world = World::settled().await;
    world.changes.note();
    tokio::time::advance(Duration::from_millis(1_999)).await;
    world.ask(Right::Allowed).await;
    assert_eq!(world.ask(Right::Denied).await, Right::Denied, "a racing review was remembered");
    tokio::time::advance(Duration::from_millis(1)).await;
    world.ask(Right::Allowed).await;
    assert_eq!(world.ask(Right::Denied).await, Right::Allowed);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_not_cached_if_rbac_changed_during_the_review() {
    let world = World::settled().await;
    let changes = Arc::clone(&world.changes);
    let answer = async move {
        changes.note();
        Right::Allowed
    };
    assert_eq!(world.ask_with(answer).await, Right::Allowed);
    tokio::time::advance(SETTLING).await;
    assert_eq!(world.ask(Right::Denied).await, Right::Denied);
}

#[tokio::test(start_paused = true)]
async fn memory_is_not_used_while_a_watch_is_broken() {
    let world = World::settled().await;
    world.ask(Right::Allowed).await;
    world.changes.break_one();
    assert_eq!(world.ask(Right::Denied).await, Right::Denied);
}

#[tokio::test(start_paused = true)]
async fn the_cache_is_not_used_when_the_watches_are_silent() {
    let world = World::keeping(Duration::from_secs(10)).await;
    tokio::time::advance(57 * SECOND).await;
    world.ask(Right::Allowed).await;
    tokio::time::advance(2 * SECOND).await;
    assert_eq!(world.ask(Right::Denied).await, Right::Denied);
}

#[tokio::test(start_paused = true)]
async fn zero_turns_it_off_and_more_than_ten_seconds_is_ten() {
    let off = World::keeping(Duration::ZERO).await;
    off.ask(Right::Allowed).await;
    assert_eq!(off.ask(Right::Denied).await, Right::Denied);
    let long = World::keeping(60 * SECOND).await;
    long.ask(Right::Allowed).await;
    tokio::time::advance(11 * SECOND).await;
    assert_eq!(long.ask(Right::Denied).await, Right::Denied);
}

#[tokio::test(start_paused = true)]
async fn askers_share_a_review_but_never_one_older_than_the_last_change() {
    let world = World::settled().await;
    let (first_answer, first_held) = oneshot::channel();
    let first = world.ask_with(async move { first_held.await.unwrap() });
    let second = world.ask(Right::Denied);
    tokio::pin!(first, second);
    assert!(futures::poll!(&mut first).is_pending());
    assert!(futures::poll!(&mut second).is_pending(), "it joined the first");
    assert_eq!(world.asked(), 1);

    world.changes.note();
    assert_eq!(world.ask(Right::Denied).await, Right::Denied, "it asked by itself");
    tokio::time::advance(SETTLING).await;
    assert_eq!(world.ask(Right::Denied).await, Right::Denied, "it asked by itself");
    assert_eq!(world.asked(), 3);

    first_answer.send(Right::Allowed).unwrap();
    assert_eq!((first.await, second.await), (Right::Allowed, Right::Allowed));
    assert_eq!(world.ask(Right::Denied).await, Right::Denied, "the old answer was remembered");
    let sources: Vec<_> = world.counts.0.lock().iter().map(|(_, source)| *source).collect();
    assert_eq!(sources, ["live", "live", "live", "shared", "live"]);
}

#[tokio::test(start_paused = true)]
async fn a_review_ends_with_the_last_who_waits_for_it() {
    let world = World::settled().await;
    let (mut answer, held) = oneshot::channel();
    let review = async move { held.await.unwrap_or(Right::Denied) };
    let mut first = Box::pin(world.ask_with(review));
    let mut second = Box::pin(world.ask(Right::Denied));
    assert!(futures::poll!(&mut first).is_pending());
    assert!(futures::poll!(&mut second).is_pending(), "it joined the first");
    drop(first);
    assert!(!answer.is_closed(), "the second still waits");
    assert!(tokio::time::timeout(4 * SECOND, second).await.is_err(), "no answer came");
    tokio::time::timeout(SECOND, answer.closed()).await.expect("nobody waits for the review");
    assert!(world.reviews.in_flight.len() == 0, "its key is kept");

    assert_eq!(world.ask(Right::Allowed).await, Right::Allowed, "the next one asks anew");
    assert_eq!(world.asked(), 2);
    assert!(world.reviews.in_flight.len() == 0, "the key of an answer is kept");
}

#[tokio::test(start_paused = true)]
async fn a_joined_request_continues_when_the_first_gives_up() {
    let world = World::settled().await;
    let (answer, held) = oneshot::channel();
    let mut first = Box::pin(world.ask_with(async move { held.await.unwrap() }));
    let mut second = Box::pin(world.ask(Right::Denied));
    assert!(futures::poll!(&mut first).is_pending());
    assert!(futures::poll!(&mut second).is_pending());
    drop(first);
    answer.send(Right::Allowed).unwrap();
    assert_eq!(second.await, Right::Allowed);
    assert_eq!(world.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_review_that_hangs_is_not_joined() {
    let world = World::settled().await;
    let mut hanging = Box::pin(world.ask_with(std::future::pending()));
    assert!(futures::poll!(&mut hanging).is_pending());
    tokio::time::advance(JOINED).await;
    let fresh = tokio::time::timeout(SECOND, world.ask(Right::Allowed)).await;
    assert_eq!(fresh.expect("it asked by itself"), Right::Allowed);
    assert!(futures::poll!(&mut hanging).is_pending());
}
