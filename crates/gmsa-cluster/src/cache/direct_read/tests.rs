use std::sync::atomic::AtomicUsize;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;
use crate::api::objects::kinds;

const SECOND: Duration = Duration::from_secs(1);

/// An API server that knows no credential spec, and leaves the first so many questions unanswered.
struct Slow {
    reads: DirectReads,
    asked: Arc<AtomicUsize>,
    /// Gets a message with each question.
    questions: mpsc::UnboundedReceiver<()>,
}

impl Slow {
    async fn start(silent: usize, limiter: RateLimiter) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, (tell, questions)) = (Arc::default(), mpsc::unbounded_channel());
        let counted = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, silent, Arc::clone(&counted), tell.clone()));
            }
        });
        let config = kube::Config::new(format!("http://{address}").parse().unwrap());
        let client = kube::Client::try_from(config).unwrap();
        let reads =
            DirectReads::new(Api::all_with(client, &kinds::CREDENTIAL_SPEC.resource()), limiter);
        Self { reads, asked, questions }
    }

    fn slots(&self) -> usize {
        self.reads.reads.len()
    }
}

async fn answer(
    mut stream: TcpStream,
    silent: usize,
    asked: Arc<AtomicUsize>,
    tell: mpsc::UnboundedSender<()>,
) {
    let mut head = Vec::new();
    while let Ok(byte) = stream.read_u8().await {
        head.push(byte);
        if !head.ends_with(b"\r\n\r\n") {
            continue;
        }
        tell.send(()).unwrap();
        if asked.fetch_add(1, Ordering::SeqCst) < silent {
            std::future::pending::<()>().await;
        }
        let line = String::from_utf8(std::mem::take(&mut head)).unwrap();
        let name = line.split([' ', '/', '?']).find(|part| part.starts_with("web")).unwrap();
        let body = format!(
            r#"{{"kind":"Status","apiVersion":"v1","status":"Failure","code":404,
            "message":"","reason":"NotFound","details":{{"name":"{name}"}}}}"#
        );
        let answer = format!(
            "HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

#[tokio::test]
async fn who_gives_up_leaves_nothing_to_wait_for() {
    let mut slow = Slow::start(1, RateLimiter::new(0.0, 1)).await;
    let late = Instant::now() + 60 * SECOND;
    {
        let mut held = Box::pin(slow.reads.read("web", late));
        let mut next = Box::pin(slow.reads.read("web", late));
        assert!(futures::poll!(&mut held).is_pending());
        tokio::select! {
            fact = &mut held => panic!("{fact:?}"),
            question = slow.questions.recv() => question.unwrap(),
        }
        assert!(futures::poll!(&mut next).is_pending(), "it waits for the one under way");
        assert_eq!(slow.slots(), 1);
    }
    assert_eq!(slow.slots(), 0);
    let fact = timeout(5 * SECOND, slow.reads.read("web", late)).await.expect("asked anew");
    assert!(matches!(fact, SpecFact::Absent), "{fact:?}");
    assert_eq!((slow.asked.load(Ordering::SeqCst), slow.slots()), (2, 0));
}

#[tokio::test]
async fn a_read_that_hangs_holds_up_the_next_for_a_second_only() {
    let mut slow = Slow::start(1, RateLimiter::new(0.0, 1)).await;
    let late = Instant::now() + 60 * SECOND;
    let mut held = Box::pin(slow.reads.read("web", late));
    assert!(futures::poll!(&mut held).is_pending());
    tokio::select! {
        fact = &mut held => panic!("{fact:?}"),
        question = slow.questions.recv() => question.unwrap(),
    }
    let fact = timeout(5 * SECOND, slow.reads.read("web", late)).await.expect("asked beside it");
    assert!(matches!(fact, SpecFact::Absent), "{fact:?}");
    assert_eq!(slow.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn reads_that_are_given_up_owe_no_turns() {
    let slow = Slow::start(0, RateLimiter::new(2.0, 1)).await;
    let late = Instant::now() + 60 * SECOND;
    let read = async |name: &str, until: Instant| slow.reads.read(name, until).await;
    assert!(matches!(read("web", late).await, SpecFact::Absent));
    {
        let names: Vec<String> = (0..100).map(|number| format!("web{number}")).collect();
        let mut waiting: Vec<_> = names.iter().map(|name| Box::pin(read(name, late))).collect();
        for read in &mut waiting {
            assert!(futures::poll!(read).is_pending());
        }
        assert_eq!(slow.slots(), 100);
        let soon = Instant::now() + 4 * SECOND;
        let refused = timeout(SECOND, read("web", soon)).await.expect("refused at once");
        let SpecFact::Unknown(failure) = refused else { panic!("{refused:?}") };
        assert!(
            failure.timed_out && failure.message.contains("wait for their turn"),
            "{failure:?}"
        );
    }
    assert_eq!(slow.slots(), 0);
    let fact = timeout(4 * SECOND, read("web", late)).await.expect("no turn is owed");
    assert!(matches!(fact, SpecFact::Absent), "{fact:?}");
}
