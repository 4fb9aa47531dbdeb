use std::time::{Duration, Instant};

use policy::Login;
use secret::Secret;
use serde_json::Value;
use store::{Lock, Replacement};

use super::owner::{Known, Owner, parse};
use super::{Document, Held, LoginError, ProgramLock, claude, codex};
use crate::{TokenAnswer, TokenRequest};

/// How often a lock that another holds is tried.
const TRY: Duration = Duration::from_millis(50);
/// Room beside the old content for longer tokens.
const ROOM: u64 = 64 * 1024;

const HEADERS: &[(&str, &str)] = &[
    ("content-type", "application/json"),
    ("accept", "application/json"),
    ("user-agent", concat!("bot-bottle/", env!("CARGO_PKG_VERSION"))),
];

/// One exchange of a refresh token for the next tokens.
pub(super) struct Renewal<'a> {
    owner: &'a Owner,
    known: &'a mut Known,
}

/// Both locks.
struct Alone {
    _program: Option<ProgramLock>,
    _ours: Lock,
}

impl<'a> Renewal<'a> {
    pub(super) fn new(owner: &'a Owner, known: &'a mut Known) -> Self {
        Self { owner, known }
    }

    /// A newer access token than `spent`.
    pub(super) async fn of(mut self, spent: &Secret) -> Result<Secret, LoginError> {
        if let Some((at, outcome)) = &self.known.tried
            && at.elapsed() < self.owner.pace.again
        {
            // Threat: an agent that provokes refusals would have the login refreshed without end.
            return Err(outcome.clone().unwrap_or(LoginError::NoAnswer("it has only just been refreshed".to_owned())));
        }
        let outcome = self.exchange(spent).await;
        self.known.tried = Some((Instant::now(), outcome.as_ref().err().cloned()));
        outcome
    }

    async fn exchange(&mut self, spent: &Secret) -> Result<Secret, LoginError> {
        let _alone = self.alone().await?;
        // Another owner, or the person's own program, may have refreshed it until now.
        self.known.held = None;
        let held = self.owner.load(self.known)?;
        if held.access != *spent && held.holds_for(self.owner.pace.early) {
            return Ok(held.access);
        }
        let refresh = held.refresh.ok_or(LoginError::Spent)?;
        if self.known.refused.as_ref() == Some(&refresh) {
            return Err(LoginError::Ended);
        }
        let content = self.owner.place.read()?;
        let room = content.reveal().len() as u64 + ROOM;
        // Before the token is spent: a full disk or a folder that may not be written must not cost the login.
        let replacement = Replacement::prepare(&self.owner.place.target()?, room);
        let replacement = replacement.map_err(|error| LoginError::Unsaved(error.to_string()))?;
        let answer = self.ask(&parse(&content)?, &refresh).await?;
        match self.accepted(&answer) {
            Ok(answer) => self.save(replacement, &refresh, &answer),
            Err(LoginError::Ended) => self.ended(refresh),
            Err(error) => Err(error),
        }
    }

    /// Waits until no other process refreshes.
    async fn alone(&self) -> Result<Alone, LoginError> {
        let unsaved = |error: &dyn std::fmt::Display| LoginError::Unsaved(error.to_string());
        let holds = self.known.held.as_ref().is_some_and(|(_, held)| held.holds_for(Duration::ZERO));
        let until = Instant::now() + if holds { self.owner.pace.short_lock } else { self.owner.pace.lock };
        let mut ours = None;
        loop {
            if ours.is_none() {
                ours = self.owner.state.try_lock(self.lock_name()).map_err(|error| unsaved(&error))?;
            }
            if ours.is_some() {
                let program = match self.owner.login {
                    Login::Claude => ProgramLock::try_take(self.owner.place.folder()).map_err(|error| unsaved(&error))?.map(Some),
                    Login::Codex => Some(None),
                };
                if let Some(_program) = program
                    && let Some(_ours) = ours.take()
                {
                    return Ok(Alone { _program, _ours });
                }
            }
            if Instant::now() >= until {
                return Err(LoginError::Busy);
            }
            tokio::time::sleep(TRY).await;
        }
    }

    fn lock_name(&self) -> &'static str {
        match self.owner.login {
            Login::Claude => "claude-login",
            Login::Codex => "codex-login",
        }
    }

    async fn ask(&self, document: &Document, refresh: &Secret) -> Result<TokenAnswer, LoginError> {
        let text = std::str::from_utf8(refresh.reveal()).map_err(|_| LoginError::Malformed("its refresh token is no text"))?;
        let mut body = match self.owner.login {
            Login::Claude => claude::request(document, text),
            Login::Codex => codex::request(text),
        };
        let request =
            TokenRequest { url: self.owner.url.clone(), headers: HEADERS.to_vec(), body: Secret::new(body.to_string()) };
        claude::zeroing(body.get_mut("refresh_token").map(Value::take));
        match tokio::time::timeout(self.owner.pace.answer, self.owner.endpoint.post(request)).await {
            Ok(answer) => answer.map_err(|error| LoginError::NoAnswer(error.to_string())),
            Err(_) => Err(LoginError::NoAnswer("the provider did not answer in time".to_owned())),
        }
    }

    fn accepted(&self, answer: &TokenAnswer) -> Result<Document, LoginError> {
        let body = Document::parse(answer.body.reveal());
        if answer.status == 200 {
            return body.ok_or(LoginError::NoAnswer("the provider's answer is no JSON object".to_owned()));
        }
        let ended = answer.status == 401 || body.as_ref().is_some_and(says_ended);
        Err(if ended { LoginError::Ended } else { LoginError::NoAnswer(format!("the provider answered {}", answer.status)) })
    }

    /// Puts the new tokens into the file as it is now.
    fn save(&mut self, replacement: Replacement, used: &Secret, answer: &Document) -> Result<Secret, LoginError> {
        let content = self.owner.place.read()?;
        let mut document = parse(&content)?;
        if self.owner.read(&document)?.refresh.as_ref() != Some(used) {
            // The person has logged in anew meanwhile, perhaps to another account: that counts.
            self.known.held = None;
            return self.still_holding();
        }
        let put = match self.owner.login {
            Login::Claude => claude::put(&mut document, answer),
            Login::Codex => codex::put(&mut document, answer),
        };
        put.ok_or(LoginError::NoAnswer("the provider's answer holds no token".to_owned()))?;
        let held = self.owner.read(&document)?;
        let text = document.to_text(content.reveal()).ok_or(LoginError::Malformed("it could not be written"))?;
        let access = held.access.clone();
        let placed = replacement.place(text.reveal());
        // Also when it could not be placed: the old tokens are spent, and this process can go on with the new ones.
        self.known.held = Some((self.owner.place.stamp()?, held));
        placed.map(|()| access).map_err(|error| LoginError::Unsaved(error.to_string()))
    }

    /// The provider did not take the refresh token. A program without a lock of its own may have used it in this moment; then
    /// the file holds the next one.
    fn ended(&mut self, refused: Secret) -> Result<Secret, LoginError> {
        self.known.held = None;
        if self.owner.load(self.known)?.refresh.as_ref() != Some(&refused) {
            return self.still_holding();
        }
        self.known.refused = Some(refused);
        Err(LoginError::Ended)
    }

    fn still_holding(&mut self) -> Result<Secret, LoginError> {
        let held: Held = self.owner.load(self.known)?;
        if held.holds_for(Duration::ZERO) { Ok(held.access) } else { Err(LoginError::Busy) }
    }
}

/// Whether an answer says that the refresh token will never be taken again (RFC 6749 §5.2, and OpenAI's own words).
fn says_ended(answer: &Document) -> bool {
    let codes =
        [answer.text(&["error"]), answer.text(&["error", "code"]), answer.text(&["error", "type"]), answer.text(&["code"])];
    codes.into_iter().flatten().any(|code| {
        matches!(code, "invalid_grant" | "refresh_token_expired" | "refresh_token_reused" | "refresh_token_invalidated")
    })
}
