use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use egress::upstream::Lookup;

use crate::scene::{Scene, exchange};

/// Counts refusals, so that each attack is seen to be recorded once.
pub struct Trial<'a> {
    scene: &'a Scene,
    refused: usize,
}

impl<'a> Trial<'a> {
    pub fn of(scene: &'a Scene) -> Self {
        Self { scene, refused: scene.refusals().len() }
    }

    /// The code of the one refusal since the last call.
    pub fn code(&mut self, attack: &str) -> String {
        self.record(attack)["code"].as_str().unwrap().to_owned()
    }

    /// The one refusal since the last call.
    pub fn record(&mut self, attack: &str) -> serde_json::Value {
        let all = self.scene.refusals();
        assert_eq!(all.len(), self.refused + 1, "{attack}: recorded once: {:?}", &all[self.refused..]);
        self.refused = all.len();
        all.last().unwrap().clone()
    }

    /// Nothing was refused since the last call.
    pub fn none(&self, what: &str) {
        assert_eq!(self.scene.refusals().len(), self.refused, "{what}");
    }

    /// Says `request` to the proxy; it must be answered with this code, and with nothing else.
    pub async fn at_the_proxy(&mut self, request: &str, code: &str) {
        let answer = exchange(self.scene.proxy(), request.as_bytes()).await;
        assert_eq!(self.code(request), code, "{request:?}: {answer}");
        assert!(answer.starts_with("HTTP/1.1 4"), "{request:?}: {answer}");
        assert_eq!(answer.matches("\r\ncontent-length: ").count(), 1, "one answer to {request:?}: {answer}");
    }
}

/// Answers each look-up with the next of these, the last one again and again, and counts them.
pub struct Scripted {
    answers: Mutex<Vec<Vec<SocketAddr>>>,
    asked: AtomicUsize,
}

impl Scripted {
    pub fn new(answers: &[&[&str]]) -> Self {
        let parse = |address: &&str| SocketAddr::new(address.parse().unwrap(), 0);
        let answers = answers.iter().map(|addresses| addresses.iter().map(parse).collect()).collect();
        Self { answers: Mutex::new(answers), asked: AtomicUsize::new(0) }
    }

    /// How often somebody asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Lookup for Scripted {
    fn look_up(&self, _name: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers.first().cloned().unwrap_or_default() };
        Ok(answer.into_iter().map(|address| SocketAddr::new(address.ip(), port)).collect())
    }
}
