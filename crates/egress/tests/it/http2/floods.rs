//! Clients that send without end: they are told to go away, or nobody reads what they send; and others are served meanwhile.

use std::time::Duration;

use testkit::http2::{END_STREAM, Frame, Kind, literal};
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use super::*;

/// What a flood may cost: bytes that are taken before it is stopped.
const TAKEN_MAX: usize = 1 << 20;

impl Client {
    /// Sends the same again and again, reads nothing, and gives the bytes that were taken: until the server closes or takes no more.
    /// With a paused clock it takes no more when nothing else is left to do.
    async fn flood(&mut self, frames: &[Frame]) -> usize {
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::bytes).collect();
        let mut taken = 0;
        while taken < 2 * TAKEN_MAX {
            match timeout(Duration::from_secs(1), self.stream.write_all(&bytes)).await {
                Ok(Ok(())) => taken += bytes.len(),
                Ok(Err(_)) | Err(_) => break,
            }
        }
        taken
    }

    /// Reads what the server has said until it closes: the code of its farewell.
    async fn farewell(&mut self) -> Option<u32> {
        let mut code = None;
        while let Some(frame) = self.frame().await {
            code = code.or(frame.code().filter(|_| frame.kind == Kind::GoAway));
        }
        code
    }
}

/// A flood that is answered with a farewell, on one connection; the next connection is served.
async fn is_sent_away(begin: &[Frame], again: &[Frame], code: u32) -> usize {
    let (scene, origin) = scene().await;
    let mut client = Client::new(&scene).await;
    client.send(begin).await;
    let taken = client.flood(again).await;
    assert!(taken < TAKEN_MAX, "{taken} bytes were taken");
    assert_eq!(client.farewell().await, Some(code));
    let seen = origin.seen().len();
    let mut next = Client::new(&scene).await;
    next.send(&[Frame::request(1, get())]).await;
    assert_eq!(next.answer(1).await, Said::Answer(200));
    seen
}

/// CVE-2023-44487, rapid reset, by one who waits until each request has been begun: the library does not count those.
#[tokio::test]
async fn http2_requests_taken_back_without_end() {
    let (scene, origin) = scene().await;
    let mut client = Client::new(&scene).await;
    let mut opened = 0;
    let said = loop {
        let streams = (opened..opened + 50).map(|number| 2 * number + 1);
        let frames: Vec<_> = streams.flat_map(|stream| [Frame::request(stream, get()), Frame::reset(stream, 8)]).collect();
        client.send(&frames).await;
        opened += 50;
        match client.end().await {
            Said::Nothing if opened < 5_000 => {}
            said => break said,
        }
    };
    assert_eq!(said, Said::Closed, "after {opened} streams");
    assert_eq!(scene.only_refusal().0, "egress.busy");
    assert!(origin.seen().len() < 1_000, "{} of {opened} reached the origin", origin.seen().len());
    let mut next = Client::new(&scene).await;
    next.send(&[Frame::request(1, get())]).await;
    assert_eq!(next.answer(1).await, Said::Answer(200));
}

/// CVE-2024-27316 and its like: a head without end.
#[tokio::test(start_paused = true)]
async fn http2_heads_without_end() {
    let begin = [Frame::new(Kind::Headers, 1, get()).with(END_STREAM)];
    let more = |payload: Vec<u8>| [Frame::new(Kind::Continuation, 1, payload)];
    for again in [more(Vec::new()), more(literal(&[("x", "y")])), more(literal(&[("x", &"y".repeat(10_000))]))] {
        assert_eq!(is_sent_away(&begin, &again, ENHANCE_YOUR_CALM).await, 0);
    }
    // One text without end.
    let begin = [Frame::new(Kind::Headers, 1, [get(), vec![0, 0x7f, 0xff, 0xff, 0xff, 0x07]].concat()).with(END_STREAM)];
    assert_eq!(is_sent_away(&begin, &more(vec![b'x'; 10_000]), ENHANCE_YOUR_CALM).await, 0);
}

/// CVE-2019-9512, CVE-2019-9515: whatever wants an answer, from one who reads none.
#[tokio::test(start_paused = true)]
async fn http2_questions_without_end_are_read_no_more() {
    for question in [Frame::ping(*b"question"), Frame::settings(&[]), Frame::settings(&[(4, 1)])] {
        let (scene, _origin) = scene().await;
        let mut client = Client::new(&scene).await;
        let taken = client.flood(&[question]).await;
        assert!(taken < TAKEN_MAX, "{taken} bytes were taken");
        let mut next = Client::new(&scene).await;
        next.send(&[Frame::request(1, get())]).await;
        assert_eq!(next.answer(1).await, Said::Answer(200));
    }
}

/// CVE-2019-9518: data that is none, which no window bounds; and one byte at a time.
#[tokio::test(start_paused = true)]
async fn http2_data_in_crumbs_without_end() {
    let begin = [Frame::request_with_body(1, post())];
    let crumb = |text: &str| [Frame::new(Kind::Data, 1, text)];
    is_sent_away(&begin, &crumb(""), ENHANCE_YOUR_CALM).await;
}

/// A head that is begun and never ended is not waited for for ever.
#[tokio::test]
async fn http2_half_a_head_is_not_waited_for() {
    let origin = Origin::tls(&["h2"]).await;
    let limits = egress::Limits { idle: Duration::from_millis(50), ..egress::Limits::default() };
    let scene = Setting { limits, ..Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots) }.start();
    for half in [&[][..], &Frame::new(Kind::Headers, 1, get()).bytes()[..], &[0, 0, 9]] {
        let mut client = Client::new(&scene).await;
        client.write(half).await;
        while client.frame().await.is_some() {}
    }
    assert!(origin.seen().is_empty());
}
