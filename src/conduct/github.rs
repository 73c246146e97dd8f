//! Asking GitHub: pages, waits, one deadline for all of it.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::etags::Etags;
use crate::forge::problem::{ForgeError, explain};
use crate::forge::repository::RepoName;
use crate::forge::request::{Call, Listing, Method, Request, Response};
use crate::forge::{pages, retry};
use crate::json;
use crate::ports::Clock;
use crate::ports::forge::{Forge, Server};

/// A server that says nothing for so long is asked again.
const SILENCE: Duration = Duration::from_secs(30);

/// Nobody asked for a list of more pages.
const MOST_PAGES: usize = 1_000;

/// Why a list ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// All of it is there.
    Whole,
    /// Whoever asked had enough.
    Enough,
    /// There is more than was asked for.
    Cut,
    /// What came before is there; then this happened.
    Broken(ForgeError),
}

/// A list, as far as it came.
#[derive(Debug, Clone)]
pub(crate) struct Listed<T> {
    pub(crate) items: Vec<T>,
    pub(crate) end: End,
    /// How many GitHub says there are, where it says so.
    pub(crate) total: Option<u64>,
}

impl<T> Listed<T> {
    /// Returns all of it, or why there is not all of it.
    pub(crate) fn whole(self, purpose: &str) -> Result<Vec<T>, ForgeError> {
        match self.end {
            End::Whole | End::Enough => Ok(self.items),
            End::Broken(error) => Err(error),
            End::Cut => Err(ForgeError::Nonsense {
                purpose: purpose.to_owned(),
                words: format!("there are more than {}", self.items.len()),
            }),
        }
    }
}

/// A repository at GitHub, and the patience to ask about it.
pub(crate) struct GitHub<'w> {
    port: &'w dyn Forge,
    clock: &'w dyn Clock,
    pub(crate) server: RefCell<Option<Server>>,
    pub(crate) repository: RepoName,
    is_offline: bool,
    /// A server that says nothing for so long is asked again.
    silence: Duration,
    begun: i64,
    deadline: Duration,
    dice: Cell<u64>,
    calls: Cell<u64>,
    /// So many requests go out at most.
    most: u64,
    etags: Option<Etags<'w>>,
}

impl<'w> GitHub<'w> {
    pub(crate) fn new(
        port: &'w dyn Forge,
        clock: &'w dyn Clock,
        server: Option<Server>,
        repository: RepoName,
        deadline: Duration,
    ) -> Self {
        Self {
            port,
            clock,
            server: RefCell::new(server),
            repository,
            is_offline: false,
            silence: SILENCE,
            begun: clock.now().as_millisecond(),
            deadline,
            dice: Cell::new(clock.dice()),
            calls: Cell::new(0),
            most: u64::MAX,
            etags: None,
        }
    }

    /// Refuses every request.
    pub(crate) fn offline(mut self, is_offline: bool) -> Self {
        self.is_offline = is_offline;
        self
    }

    /// Asks again, or gives up, when nothing comes for so long.
    #[cfg(test)]
    pub(crate) fn impatient(mut self, silence: Duration) -> Self {
        self.silence = silence;
        self
    }

    /// Asks only for what changed since the last time.
    pub(crate) fn with_etags(mut self, etags: Etags<'w>) -> Self {
        self.etags = Some(etags);
        self
    }

    /// Sends so many requests at most, repeated ones among them, and keeps nothing of the answers.
    pub(crate) fn sparingly(mut self, most: u64) -> Self {
        self.most = most;
        self.etags = None;
        self
    }

    /// Returns how many more requests may go out.
    pub(crate) fn calls_left(&self) -> u64 {
        self.most.saturating_sub(self.calls.get())
    }

    /// Returns how many requests went out.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.get()
    }

    fn left(&self) -> Duration {
        let spent = self.clock.now().as_millisecond() - self.begun;
        self.deadline
            .saturating_sub(Duration::from_millis(u64::try_from(spent).unwrap_or(0)))
    }

    /// The next number without a pattern (splitmix64; Steele, Lea and Flood, OOPSLA 2014).
    fn throw(&self) -> u64 {
        let next = self.dice.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.dice.set(next);
        let mixed = (next ^ (next >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Sends a request until there is an answer that can be read, or no hope of one.
    pub(crate) fn exchange<R>(
        &self,
        request: &Request,
        read: &mut dyn FnMut(&Response) -> Result<R, String>,
    ) -> Result<R, ForgeError> {
        let purpose = || request.purpose.clone();
        if self.is_offline {
            return Err(ForgeError::Offline { purpose: purpose() });
        }
        let server = self.server.borrow().clone();
        let server = server.ok_or_else(|| ForgeError::NoToken { purpose: purpose() })?;
        let known = match (&self.etags, request.method) {
            (Some(etags), Method::Get) => etags.known(&server, request),
            _ => None,
        };
        let (mut faults, mut limits) = (0, 0);
        loop {
            let left = self.left();
            if left.is_zero() {
                let seconds = self.deadline.as_secs();
                return Err(ForgeError::Deadline {
                    purpose: purpose(),
                    seconds,
                });
            }
            if self.calls_left() == 0 {
                return Err(ForgeError::Enough {
                    purpose: purpose(),
                    calls: self.most,
                });
            }
            let etag = known.as_ref().map(|known| known.etag.as_str());
            self.calls.set(self.calls.get() + 1);
            let answer = self
                .port
                .exchange(&server, request, etag, left.min(self.silence));
            let at = retry::Standing {
                faults,
                limits,
                left: self.left(),
                dice: self.throw(),
                now: self.clock.now(),
            };
            let mut next = retry::judge(request, &answer, &at);
            if next == retry::Next::Take
                && let Ok(response) = &answer
            {
                let is_known = response.status == 304;
                let response = known
                    .as_ref()
                    .filter(|_| is_known)
                    .map_or(response, |known| &known.response);
                match read(response) {
                    Ok(done) => {
                        if let (Some(etags), Method::Get, false) =
                            (&self.etags, request.method, is_known)
                        {
                            etags.keep(&server, request, response);
                        }
                        return Ok(done);
                    }
                    Err(words) => next = retry::after_nonsense(request, &words, &at),
                }
            }
            match next {
                retry::Next::GiveUp(error) => return Err(error),
                retry::Next::Take => {}
                retry::Next::Wait(wait) => {
                    if matches!(&answer, Ok(response) if matches!(response.status, 403 | 429)) {
                        limits += 1;
                    } else {
                        faults += 1;
                    }
                    self.clock.sleep(wait);
                }
            }
        }
    }

    /// Asks for one thing.
    pub(crate) fn call<T: DeserializeOwned>(&self, call: &Call<T>) -> Result<T, ForgeError> {
        self.exchange(&call.request, &mut |response| {
            if !response.is_success() {
                return Err(format!("it answered {}", response.status));
            }
            // 204 has no body, and whoever asked wants none.
            let body: &[u8] = if response.body.is_empty() {
                b"null"
            } else {
                &response.body
            };
            json::read(body).map_err(|error| error.to_string())
        })
    }

    /// Asks for many things, page by page, so many at most; `keep` answers false when there are enough.
    pub(crate) fn list<T: DeserializeOwned>(
        &self,
        listing: &Listing<T>,
        most: usize,
        keep: &mut dyn FnMut(&T) -> bool,
    ) -> Listed<T> {
        let mut listed = Listed {
            items: Vec::new(),
            end: End::Whole,
            total: None,
        };
        let mut request = listing.request.clone();
        for number in 0.. {
            let page = self.exchange(&request, &mut |response| {
                let page = page_of::<T>(response, listing.field)?;
                Ok((page, pages::next(response.header("link"))))
            });
            let ((items, total), next) = match page {
                Ok(page) => page,
                Err(error) => {
                    listed.end = End::Broken(error);
                    return listed;
                }
            };
            listed.total = total.or(listed.total);
            for item in items {
                if listed.items.len() >= most {
                    listed.end = End::Cut;
                    return listed;
                }
                if !keep(&item) {
                    listed.end = End::Enough;
                    return listed;
                }
                listed.items.push(item);
            }
            let Some(next) = next else { return listed };
            if number + 1 >= MOST_PAGES || next == request.query {
                listed.end = End::Cut;
                return listed;
            }
            request.query = merged(&listing.request.query, next);
        }
        listed
    }

    /// Downloads what an API address leads to: so many bytes at most.
    pub(crate) fn download(&self, request: &Request, most: u64) -> Result<Vec<u8>, ForgeError> {
        let mut failed = None;
        // The address is good for a minute, so a failed download begins with a new one.
        for _ in 0..3 {
            let place = self.exchange(request, &mut |response| match response.status {
                301 | 302 | 307 | 308 => {
                    let address = response.header("location").ok_or("it leads nowhere")?;
                    Ok(Ok(address.to_owned()))
                }
                200 => Ok(Err(response.body.clone())),
                status => Err(format!("it answered {status}")),
            })?;
            let address = match place {
                Ok(address) => address,
                Err(body) => return Ok(body),
            };
            self.calls.set(self.calls.get() + 1);
            let answer = self.port.fetch(
                &address,
                most,
                self.left().min(self.silence.saturating_mul(4)),
            );
            match answer {
                Ok(response) if response.is_success() => return Ok(response.body),
                Ok(response) if response.status == 404 || response.status == 410 => {
                    return Err(explain(request, &response));
                }
                Ok(response) => failed = Some(format!("the storage answered {}", response.status)),
                Err(silence) => failed = Some(silence.to_string()),
            }
            self.clock
                .sleep(Duration::from_millis(200 + self.throw() % 800));
            if self.left().is_zero() {
                break;
            }
        }
        Err(ForgeError::Unavailable {
            purpose: request.purpose.clone(),
            words: failed.unwrap_or_default(),
        })
    }
}

/// Reads one page, and how many GitHub says there are.
fn page_of<T: DeserializeOwned>(
    response: &Response,
    field: Option<&str>,
) -> Result<(Vec<T>, Option<u64>), String> {
    let words = |error: serde_json::Error| error.to_string();
    if !response.is_success() {
        return Err(format!("it answered {}", response.status));
    }
    let Some(field) = field else {
        return json::read(&response.body)
            .map(|items| (items, None))
            .map_err(words);
    };
    let fields: std::collections::BTreeMap<String, &RawValue> =
        json::read(&response.body).map_err(words)?;
    let items = fields
        .get(field)
        .ok_or_else(|| format!("it has no `{field}`"))?;
    let total = fields
        .get("total_count")
        .and_then(|total| total.get().parse().ok());
    Ok((json::read(items.get().as_bytes()).map_err(words)?, total))
}

/// The parameters of the next page over those of the first one.
fn merged(first: &[(String, String)], next: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut query: Vec<(String, String)> = first.to_vec();
    query.retain(|(name, _)| !next.iter().any(|(other, _)| other == name));
    query.extend(next);
    query
}
