//! Who is logged in at a site, in memory: each browser by a cookie of its own.

use super::exchange::{Begun, LoggedIn, Waiting};
use crate::oidc::Level;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use time::OffsetDateTime;

/// Most that is kept of each: a demonstration forgets what is older.
const MOST: usize = 1_000;

/// A session, as its page shows it.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) name: String,
    pub(super) level: Level,
    /// Names and values of the claims, of the ID token and of userinfo.
    pub(super) claims: Vec<(String, String)>,
    pub(super) until: OffsetDateTime,
    pub(super) id_token: String,
    /// Who it is, as the organisation knows them.
    pub(super) subject: String,
    /// What waits in their app.
    pub(super) waiting: Option<Waiting>,
    sid: String,
    /// The service has ended it.
    pub(super) ended: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({:?}, ended: {})", self.level, self.ended)
    }
}

impl Session {
    /// Of who has logged in; nothing if a claim that a session needs is no such thing.
    pub(super) fn of(logged_in: LoggedIn) -> Option<Self> {
        let LoggedIn { claims, person, id_token } = logged_in;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let until = claims.get("session_expiry")?.as_i64()?;
        let name = person.get("mitid.identity_name").and_then(Value::as_str);
        let both = [&claims, &person].into_iter().filter_map(Value::as_object).flatten();
        let mut shown: Vec<_> = both.map(|(name, value)| (name.clone(), plain(value))).collect();
        shown.sort();
        shown.dedup();
        Some(Self {
            name: name.unwrap_or_default().to_owned(),
            level: Level::of_uri(text("acr")?)?,
            until: OffsetDateTime::from_unix_timestamp(until).ok()?,
            subject: text("sub")?.to_owned(),
            waiting: None,
            sid: text("sid")?.to_owned(),
            claims: shown,
            id_token,
            ended: false,
        })
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Log-ins under way and sessions.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    /// By the browser's cookie.
    begun: Mutex<HashMap<String, Begun>>,
    open: Mutex<HashMap<String, Session>>,
    /// What the service has ended, by `sid`: it comes by a connection of its own, so that it may be said of one that
    /// is about to open (OpenID Connect Back-Channel Logout 1.0 §2.5). Locked after `open`.
    ended: Mutex<HashMap<String, ()>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts `value`, in the place of everything once there is too much.
fn put<T>(map: &mut HashMap<String, T>, key: String, value: T) {
    if map.len() >= MOST {
        map.clear();
    }
    map.insert(key, value);
}

impl Sessions {
    pub(super) fn begin(&self, browser: String, begun: Begun) {
        put(&mut locked(&self.begun), browser, begun);
    }

    /// What `browser` began with `state`, once. Another state ends nothing: any page can send a browser here with one.
    pub(super) fn begun(&self, browser: &str, state: &str) -> Option<Begun> {
        // Anybody's page can lead here with a `state` that is none: that ends no log-in.
        let mut all = locked(&self.begun);
        let fits = all.get(browser).is_some_and(|begun| begun.state == state);
        fits.then(|| all.remove(browser)).flatten()
    }

    pub(super) fn open(&self, browser: String, mut session: Session) {
        let mut open = locked(&self.open);
        session.ended |= locked(&self.ended).contains_key(&session.sid);
        put(&mut open, browser, session);
    }

    /// The session of `browser` that has not run out at `now`.
    pub(super) fn of(&self, browser: &str, now: OffsetDateTime) -> Option<Session> {
        locked(&self.open).get(browser).filter(|session| now < session.until).cloned()
    }

    /// Keeps what waits in the app of the person whose session `browser` has.
    pub(super) fn wait(&self, browser: &str, waiting: Option<Waiting>) {
        if let Some(session) = locked(&self.open).get_mut(browser) {
            session.waiting = waiting;
        }
    }

    pub(super) fn close(&self, browser: &str) -> Option<Session> {
        locked(&self.open).remove(browser)
    }

    /// Ends every session that the service knows as `sid`, also one that opens after this.
    pub(super) fn end(&self, sid: &str) {
        let mut open = locked(&self.open);
        put(&mut locked(&self.ended), sid.to_owned(), ());
        for session in open.values_mut().filter(|session| session.sid == sid) {
            session.ended = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn session(sid: &str) -> Session {
        let claims = json!({
            "sid": sid, "sub": "s", "session_expiry": 1_900_000_000,
            "acr": Level::Substantial.uri(),
        });
        let person = json!({ "mitid.identity_name": "Anna" });
        Session::of(LoggedIn { claims, person, id_token: String::new() }).unwrap()
    }

    #[test]
    fn a_session_that_was_ended_before_it_opened_is_ended() {
        let sessions = Sessions::default();
        let at = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        let ended = |browser: &str| sessions.of(browser, at).unwrap().ended;
        sessions.open("first".to_owned(), session("1"));
        sessions.end("1");
        sessions.end("2");
        sessions.open("second".to_owned(), session("2"));
        sessions.open("third".to_owned(), session("3"));
        assert!(ended("first") && ended("second") && !ended("third"));
    }

    #[test]
    fn a_state_that_does_not_fit_ends_no_log_in() {
        let sessions = Sessions::default();
        sessions.begin("browser".to_owned(), Begun::of_test("mine"));
        assert!(sessions.begun("browser", "x").is_none());
        assert!(sessions.begun("other", "mine").is_none());
        assert_eq!(sessions.begun("browser", "mine").unwrap().state, "mine");
        assert!(sessions.begun("browser", "mine").is_none(), "once");
    }
}
