use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use policy::{Code, Rule, Transport};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::boot_clock::BootTime;
use super::dial::dial;
use super::http1::{self, Http1, Upgrades};
use super::http2::Http2;
use super::lane::{Begun, Lane, On, Opened, Sent};
use super::lanes::Lanes;
use super::lookup::Lookup;
use super::no_answer::{no_answer, unwritable};
use super::place::{Place, Places, Share};
use super::resolve::Resolver;
use super::target::Target;
use super::tasks::Tasks;
use super::tls::{Offer, Tls};
use super::way::Way;
use super::{Failure, ResponseBody};
use crate::trust::TrustRoots;
use crate::{Limits, RequestBody};

/// Everything that one bottle's egress service has open towards the world. Dropping it closes all of it.
pub struct Upstreams {
    resolver: Resolver,
    tls: Tls,
    lanes: Arc<Lanes>,
    tasks: Tasks,
    places: Places,
    connect: Duration,
}

/// Longest that a connection is kept without a request, whatever the limits say: what lies between here and there (address
/// translation, balancers) forgets quiet connections after a few minutes without a word.
const IDLE_MAX: Duration = Duration::from_secs(90);

impl Upstreams {
    /// Opens nothing yet. Of `limits`: `connect` bounds looking up, connecting and shaking hands together, `connections` the
    /// connections that requests share, `idle` how long these are kept.
    pub fn new(roots: TrustRoots, limits: &Limits) -> Self {
        Self {
            resolver: Resolver::new(),
            tls: Tls::new(roots),
            lanes: Arc::new(Lanes::new(limits.idle.min(IDLE_MAX))),
            tasks: Tasks::default(),
            places: Places::new(limits.connections),
            connect: limits.connect,
        }
    }

    /// The same, with names looked up by `lookup` instead of the host's own resolver. Addresses are judged all the same.
    #[must_use]
    pub fn with_lookup(self, lookup: Arc<dyn Lookup>) -> Self {
        self.look_up_by(lookup);
        self
    }

    pub(crate) fn look_up_by(&self, lookup: Arc<dyn Lookup>) {
        self.resolver.look_up_by(lookup);
    }

    /// A connection to `target` for bytes that are passed on unopened; its share is to be kept as long as it is open.
    ///
    /// # Errors
    /// When the name cannot be looked up, has no address that `rule` lets be reached, or nobody answers there in time.
    pub async fn connect(&self, target: &Target, rule: &Rule) -> Result<(TcpStream, Share), Failure> {
        let share = self.places.share();
        let stream = self.dialled(target, &Way::of(rule), &share, self.deadline()).await?;
        Ok((stream, share))
    }

    /// Sends `request` to `target` over a connection that is kept for others to use, HTTP/2 or HTTP/1.1 as the other end
    /// prefers. `Host` and the target's form are set here. Bodies stream both ways; nothing bounds how long the answer takes.
    /// Dropping the future gives the request up.
    ///
    /// A request of which nothing was sent, because a kept connection had just been closed, is sent once more over a new
    /// one; so is one that only asks (GET, HEAD, OPTIONS without a body) when a kept connection ends before it answers. No
    /// other is ever repeated, and no body is.
    ///
    /// # Errors
    /// As [`Upstreams::connect`]; also when the certificate is not good, or no proper HTTP answer comes.
    pub async fn send(
        &self,
        target: &Target,
        rule: &Rule,
        request: Request<RequestBody>,
    ) -> Result<Response<ResponseBody>, Failure> {
        let lane = self.lanes.lane(target, rule, &self.tasks)?;
        let (request, on) = match lane.begin(request, On::Kept, self.lanes.idle())? {
            Begun::Waits(request) => (*request, On::Kept),
            begun => match finish(target, begun).await {
                Ok(answer) => return Ok(answer),
                Err(Unsent::Again(request)) => (*request, On::OpenedSince(BootTime::now())),
                Err(Unsent::Failed(failure)) => return Err(failure),
            },
        };
        let begun = self.begin_on_another(&lane, request, on).await?;
        match finish(target, begun).await {
            Ok(answer) => Ok(answer),
            Err(Unsent::Failed(failure)) => Err(failure),
            Err(Unsent::Again(_)) => Err(Failure::new(
                Code::UpstreamProtocol,
                format!("{target} closes connections before a request can be sent"),
                "try again later",
            )),
        }
    }

    /// Sends a request that asks for another protocol (RFC 9110 §7.8) over an HTTP/1.1 connection of its own. When the answer
    /// is 101, `hyper::upgrade::on` makes the stream of it.
    ///
    /// # Errors
    /// As [`Upstreams::send`].
    pub async fn upgrade(
        &self,
        target: &Target,
        rule: &Rule,
        mut request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, Failure> {
        let deadline = self.deadline();
        let host = http::HeaderValue::from_str(&target.authority()).map_err(|_| unwritable(target))?;
        http1::address(&mut request, host).map_err(|_| unwritable(target))?;
        let place = self.place(target, deadline).await?;
        let stream = self.dialled(target, &Way::of(rule), &place.share, deadline).await?;
        let opened = match target.transport {
            Transport::Plain => Http1::open(stream, &self.tasks, place, Upgrades::Allowed).await,
            Transport::Tls => {
                let stream = self.tls.handshake(stream, target, Offer::Http1, deadline).await?;
                Http1::open(stream, &self.tasks, place, Upgrades::Allowed).await
            }
        };
        let mut connection = opened.map_err(|error| no_answer(target, &error))?;
        connection.begin(request, BootTime::now()).await.map_err(|error| no_answer(target, error.error()))
    }

    /// Begins `request` on a connection that is opened for it, or on one that became free while it waited for its turn.
    async fn begin_on_another(
        &self,
        lane: &Lane,
        mut request: Request<RequestBody>,
        on: On,
    ) -> Result<Begun<impl Future<Output = Sent> + use<>, impl Future<Output = Sent> + use<>>, Failure> {
        let (deadline, asked, idle) = (self.deadline(), Instant::now(), self.lanes.idle());
        let mut turn = None;
        if lane.opens_in_turn() {
            turn = timeout_at(deadline, lane.opening.acquire()).await.ok().and_then(Result::ok);
            if let Some(hearing) = lane.unheard() {
                // After the deadline another is opened, or tried to.
                let _ = timeout_at(deadline, hearing.end()).await;
            }
            match lane.begin(request, on, idle)? {
                Begun::Waits(waiting) => request = *waiting,
                begun => return Ok(begun),
            }
            if let Some(failure) = lane.failed_since(asked) {
                return Err(failure);
            }
            if !lane.opens_in_turn() {
                turn = None;
            }
        }
        let opened = self.open(lane, deadline).await;
        let begun = match opened {
            Ok(opened) => lane.begin(request, On::Fresh(opened), idle),
            Err(failure) => {
                lane.failed(failure.clone());
                Err(failure)
            }
        };
        drop(turn);
        begun
    }

    async fn open(&self, lane: &Lane, deadline: Instant) -> Result<Opened, Failure> {
        let target = &lane.target;
        let place = self.place(target, deadline).await?;
        let stream = self.dialled(target, &lane.way, &place.share, deadline).await?;
        let opened = match target.transport {
            Transport::Plain => Http1::open(stream, &self.tasks, place, Upgrades::Refused).await.map(Opened::Http1),
            Transport::Tls => {
                let stream = self.tls.handshake(stream, target, Offer::AnyHttp, deadline).await?;
                match stream.get_ref().1.alpn_protocol() {
                    Some(b"h2") => Http2::open(stream, &self.tasks, place).await.map(Opened::Http2),
                    Some(_) | None => Http1::open(stream, &self.tasks, place, Upgrades::Refused).await.map(Opened::Http1),
                }
            }
        };
        opened.map_err(|error| no_answer(target, &error))
    }

    async fn dialled(&self, target: &Target, way: &Way, share: &Share, deadline: Instant) -> Result<TcpStream, Failure> {
        let addresses = self.resolver.resolve(target, way, deadline).await?;
        let stream = dial(&addresses, target, deadline).await?;
        share.bound(&stream).map_err(|error| {
            let message = format!("connecting to {target}: bounding what the kernel keeps for it: {}", error.kind());
            Failure::new(Code::UpstreamUnreachable, message, "tell the person")
        })?;
        Ok(stream)
    }

    /// A place among the connections that one bottle may have open.
    async fn place(&self, target: &Target, deadline: Instant) -> Result<Place, Failure> {
        if let Some(place) = self.places.try_take() {
            return Ok(place);
        }
        self.lanes.close_idle();
        timeout_at(deadline, self.places.take()).await.ok().flatten().ok_or_else(|| {
            let message = format!("connecting to {target}: this bottle has too many connections open");
            Failure::new(Code::Busy, message, "wait for running requests to end, and do fewer at once")
        })
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.connect
    }
}

impl Drop for Upstreams {
    fn drop(&mut self) {
        self.tasks.end();
    }
}

enum Unsent {
    Again(Box<Request<RequestBody>>),
    Failed(Failure),
}

async fn finish(
    target: &Target,
    begun: Begun<impl Future<Output = Sent>, impl Future<Output = Sent>>,
) -> Result<Response<ResponseBody>, Unsent> {
    let (answered, again) = match begun {
        Begun::Http1(answer, again) => (answer.await.map(of_http1), again),
        Begun::Http2(answer, stream, again) => {
            (answer.await.map(|answer| answer.map(|body| ResponseBody::of_http2(body, stream))), again)
        }
        Begun::Waits(request) => return Err(Unsent::Again(request)),
    };
    match answered {
        // Nobody asked for another protocol.
        Ok(answer) if answer.status() == StatusCode::SWITCHING_PROTOCOLS => Err(Unsent::Failed(Failure::new(
            Code::UpstreamProtocol,
            format!("{target} changes the protocol unasked"),
            "tell the person",
        ))),
        Ok(answer) => Ok(answer),
        Err(mut error) => match (error.take_message(), again) {
            (Some(request), _) => Err(Unsent::Again(Box::new(request))),
            (None, Some(again)) if !error.error().is_parse() => Err(Unsent::Again(Box::new(again.request()))),
            (None, _) => Err(Unsent::Failed(no_answer(target, error.error()))),
        },
    }
}

/// Threat: whoever reads an answer with a length and a transfer coding by the other of the two sees another answer; the length
/// must not be passed on (RFC 9112 §6.3).
fn of_http1(mut answer: Response<Incoming>) -> Response<ResponseBody> {
    if answer.headers().contains_key(TRANSFER_ENCODING) {
        answer.headers_mut().remove(CONTENT_LENGTH);
    }
    answer.map(ResponseBody::of_http1)
}

#[cfg(test)]
#[path = "upstreams_tests.rs"]
mod tests;
