//! One request of a browser: the language and display chosen, and the case, all in cookies.
//!
//! Names begin with `__Host-` and the cookies are `Secure`, but on loopback without TLS; all are
//! `HttpOnly` and `SameSite=Strict`, but those that a log-in leads to (draft-ietf-httpbis-rfc6265bis §4.1.3).

use super::texts::Language;
use crate::app::App;
use crate::ids::LogInId;
use crate::keys::{base64url, base64url_decode};
use axum::http::header::{COOKIE, HOST};
use axum::http::{HeaderMap, HeaderValue};
use enroll_core::policy::Idle;
use std::net::IpAddr;
use zeroize::Zeroizing;

/// How long the case's cookie is kept: the case, the thirty days that a referred one waits, and the time to
/// activate an app after it. What its token is good for ends by the case's own time.
pub(super) const CASE_AGE: u32 = 33 * 24 * 60 * 60;
/// How long language and display are kept.
pub(super) const CHOICE_AGE: u32 = 365 * 24 * 60 * 60;

/// A cookie of ours, by its name without prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cookie {
    /// `da` or `en`.
    Language,
    /// `large` for larger text.
    Text,
    /// `high` for high contrast.
    Contrast,
    /// Present while somebody helps another person.
    Helper,
    /// The version of the terms agreed to, and the language in which they were read: `2026-01.da`.
    Agreed,
    /// The enrolment and its token: `ID.TOKEN`.
    Case,
    /// The reference that opens the case at a Borgercenter, so that it can be shown again.
    Reference,
    /// Present on a kiosk: how it stands, and its credential ([`Station`]).
    Station,
    /// The session of an officer.
    Officer,
    /// The P-code that was issued here last, so that its page can be shown again ([`super::officer`]).
    PCode,
    /// What was decided here last, so that its page can be shown again ([`super::officer`]).
    Ruled,
    /// What an officer had filled in when their session ended, and what of it one cookie does not hold.
    Draft,
    DraftRest,
    /// The log-in that this browser has before it, and what opens it: `ID.SECRET`. A relying party's page leads to it, so that it
    /// is `SameSite=Lax`: it comes with a link, never with another site's form.
    LogIn,
    /// What a log-in at My page has to answer, until the browser comes back with it: `STATE.VERIFIER.PLACE`. An app
    /// may bring it back, so that it is `SameSite=Lax`.
    MyBegun,
    /// The session of My page. The redirect that sets it may have begun in an app, so that it is `SameSite=Lax`;
    /// what changes something comes from our own pages only.
    My,
}

impl Cookie {
    /// All of a person, which leaving erases.
    pub(super) const PERSONAL: [Self; 4] =
        [Self::Helper, Self::Agreed, Self::Case, Self::Reference];
    /// How a person has the pages shown.
    pub(super) const CHOICES: [Self; 3] = [Self::Language, Self::Text, Self::Contrast];

    fn name(self) -> &'static str {
        match self {
            Self::Language => "indrul-language",
            Self::Text => "indrul-text",
            Self::Contrast => "indrul-contrast",
            Self::Helper => "indrul-helper",
            Self::Agreed => "indrul-agreed",
            Self::Case => "indrul-case",
            Self::Reference => "indrul-reference",
            Self::Station => "indrul-station",
            Self::Officer => "indrul-officer",
            Self::PCode => "indrul-p-code",
            Self::Ruled => "indrul-ruled",
            Self::Draft => "indrul-draft",
            Self::DraftRest => "indrul-draft-rest",
            Self::LogIn => "indrul-log-in",
            Self::MyBegun => "indrul-my-begun",
            Self::My => "indrul-my",
        }
    }
}

/// The kiosk that a browser is.
pub(super) struct Station {
    /// Whether staff sit beside the person.
    pub(super) attended: bool,
    /// The kiosk's credential, as it stands in the configuration.
    pub(super) token: Zeroizing<String>,
}

impl Station {
    /// From the cookie's value: `attended.` or `unattended.`, and the credential in base64url.
    fn parse(value: &str) -> Option<Self> {
        let (mode, token) = value.split_once('.')?;
        let attended = match mode {
            "attended" => true,
            "unattended" => false,
            _ => return None,
        };
        let token = String::from_utf8(base64url_decode(token)?).ok()?;
        Some(Self { attended, token: Zeroizing::new(token) })
    }

    /// The cookie's value.
    pub(super) fn value(&self) -> Zeroizing<String> {
        let mode = if self.attended { "attended" } else { "unattended" };
        Zeroizing::new(format!("{mode}.{}", base64url(self.token.as_bytes())))
    }
}

/// What a browser brings along.
pub(crate) struct Visit {
    pub(super) language: Language,
    pub(super) large: bool,
    pub(super) contrast: bool,
    pub(super) helper: bool,
    pub(super) agreed: Option<String>,
    /// The enrolment and its token.
    pub(super) case: Option<(String, Zeroizing<String>)>,
    pub(super) reference: Option<String>,
    pub(super) station: Option<Station>,
    /// When a kiosk clears itself.
    pub(super) idle: Idle,
    /// The token of an officer's session.
    pub(super) officer: Option<Zeroizing<String>>,
    /// A P-code that was issued here, as its page keeps it.
    pub(super) p_code: Option<Zeroizing<String>>,
    /// What was decided here last, as its page keeps it.
    pub(super) ruled: Option<Zeroizing<String>>,
    /// What an officer had filled in when their session ended, as it is kept.
    pub(super) draft: Option<String>,
    /// The log-in before this browser, and what opens it.
    pub(super) log_in: Option<(LogInId, Zeroizing<String>)>,
    /// What a log-in at My page has to answer.
    pub(super) my_begun: Option<Zeroizing<String>>,
    /// The token of a session of My page.
    pub(super) my: Option<Zeroizing<String>>,
    secure: bool,
}

impl Visit {
    /// The visit of a request with `headers` to `app`.
    pub(super) fn to(app: &App, headers: &HeaderMap) -> Self {
        let idle = app.policy.desk.idle;
        Self { idle, ..Self::of(headers, app.server.public_url.as_deref()) }
    }

    /// The visit of a request with `headers` to a service that is reached at `public`.
    pub(super) fn of(headers: &HeaderMap, public: Option<&str>) -> Self {
        let secure = is_secure(headers, public);
        let get = |cookie| value(headers, secure, cookie);
        let case = get(Cookie::Case).and_then(|value| value.split_once('.'));
        let log_in = get(Cookie::LogIn).and_then(|value| value.split_once('.'));
        let log_in = log_in.and_then(|(id, secret)| id.parse().ok().zip(Some(secret)));
        Self {
            language: Language::of(get(Cookie::Language)),
            large: get(Cookie::Text) == Some("large"),
            contrast: get(Cookie::Contrast) == Some("high"),
            helper: get(Cookie::Helper).is_some(),
            agreed: get(Cookie::Agreed).map(str::to_owned),
            case: case.map(|(id, token)| (id.to_owned(), Zeroizing::new(token.to_owned()))),
            reference: get(Cookie::Reference).map(str::to_owned),
            station: get(Cookie::Station).and_then(Station::parse),
            idle: Idle::default(),
            officer: get(Cookie::Officer).map(|token| Zeroizing::new(token.to_owned())),
            p_code: get(Cookie::PCode).map(|code| Zeroizing::new(code.to_owned())),
            ruled: get(Cookie::Ruled).map(|kept| Zeroizing::new(kept.to_owned())),
            draft: get(Cookie::Draft)
                .map(|kept| format!("{kept}{}", get(Cookie::DraftRest).unwrap_or_default())),
            log_in: log_in.map(|(id, secret)| (id, Zeroizing::new(secret.to_owned()))),
            my_begun: get(Cookie::MyBegun).map(|kept| Zeroizing::new(kept.to_owned())),
            my: get(Cookie::My).map(|token| Zeroizing::new(token.to_owned())),
            secure,
        }
    }

    /// The header that sets `cookie`, for `age` seconds or as long as the browser runs. For somebody
    /// else's device nothing is kept longer than that.
    pub(super) fn set(&self, cookie: Cookie, value: &str, age: Option<u32>) -> HeaderValue {
        let age = age.filter(|_| !(self.helper && Cookie::PERSONAL.contains(&cookie)));
        self.header(cookie, value, age)
    }

    /// The header that erases `cookie`.
    pub(super) fn erase(&self, cookie: Cookie) -> HeaderValue {
        self.header(cookie, "", Some(0))
    }

    fn header(&self, cookie: Cookie, value: &str, age: Option<u32>) -> HeaderValue {
        let (prefix, secure) = if self.secure { ("__Host-", "; Secure") } else { ("", "") };
        let age = age.map(|age| format!("; Max-Age={age}")).unwrap_or_default();
        let is_lax = matches!(cookie, Cookie::LogIn | Cookie::MyBegun | Cookie::My);
        let (name, site) = (cookie.name(), if is_lax { "Lax" } else { "Strict" });
        let text =
            format!("{prefix}{name}={value}; Path=/; HttpOnly; SameSite={site}{secure}{age}");
        // Our own values are letters, digits and signs that a header takes.
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

fn value(headers: &HeaderMap, secure: bool, cookie: Cookie) -> Option<&str> {
    let prefix = if secure { "__Host-" } else { "" };
    let pairs = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = pairs.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    let named = |name: &str| name.trim().strip_prefix(prefix) == Some(cookie.name());
    pairs.find(|(name, _)| named(name)).map(|(_, value)| value.trim())
}

/// Whether cookies are for TLS only: always, but on loopback where nothing says otherwise.
fn is_secure(headers: &HeaderMap, public: Option<&str>) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    public.is_some_and(|url| url.starts_with("https://")) || !is_loopback(host)
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether a request that changes something comes from our own page: as the browser says (Fetch
/// Metadata, W3C), and by its origin (RFC 6454 §7) where it does not.
pub(crate) fn is_ours(headers: &HeaderMap) -> bool {
    let get = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (get("sec-fetch-site"), get("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => {
            let at = origin.split_once("://").map(|(_, host)| host);
            at.is_some() && at == get("host")
        }
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn cookies_are_for_this_host_and_tls_but_on_loopback() {
        for (host, public, secure) in [
            ("127.0.0.1:8480", None, false),
            ("localhost:8480", None, false),
            ("[::1]:8480", None, false),
            ("127.0.0.1:8480", Some("https://indrul.invalid"), true),
            ("indrul.invalid", None, true),
            ("localhost.indrul.invalid", None, true),
            ("", None, true),
        ] {
            let visit = Visit::of(&headers(&[("host", host)]), public);
            let set = visit.set(Cookie::Case, "a.b", Some(9));
            let set = set.to_str().unwrap();
            let name = if secure { "__Host-indrul-case=a.b;" } else { "indrul-case=a.b;" };
            assert!(set.starts_with(name), "{host}: {set}");
            assert_eq!(set.contains("; Secure"), secure, "{host}");
            assert!(set.contains("Path=/; HttpOnly; SameSite=Strict"), "{set}");
        }
    }

    #[test]
    fn a_cookie_without_the_prefix_is_none_where_it_is_due() {
        let plain = [("host", "indrul.invalid"), ("cookie", "indrul-case=a.b; indrul-language=en")];
        let visit = Visit::of(&headers(&plain), None);
        assert!(visit.case.is_none() && visit.language == Language::Da);
        let hardened = [("host", "indrul.invalid"), ("cookie", "x=1; __Host-indrul-case=a.b")];
        let (id, token) = Visit::of(&headers(&hardened), None).case.unwrap();
        assert_eq!((id.as_str(), token.as_str()), ("a", "b"));
    }

    #[test]
    fn a_helpers_device_keeps_nothing_of_a_person() {
        let helping = [("host", "localhost"), ("cookie", "indrul-helper=1")];
        let visit = Visit::of(&headers(&helping), None);
        let case = visit.set(Cookie::Case, "a.b", Some(CASE_AGE));
        assert!(!case.to_str().unwrap().contains("Max-Age"));
        let language = visit.set(Cookie::Language, "en", Some(CHOICE_AGE));
        assert!(language.to_str().unwrap().contains("Max-Age"));
    }

    #[test]
    fn a_kiosks_credential_may_hold_any_sign() {
        for attended in [true, false] {
            let token = Zeroizing::new("å; Path=/ ,\"x".to_owned());
            let value = Station { attended, token: token.clone() }.value();
            assert!(!value.contains([';', ' ', ',', '"']), "{}", *value);
            let found = Station::parse(&value).unwrap();
            assert_eq!((found.attended, &found.token), (attended, &token));
        }
        for wrong in ["", "attended", "attended.", "attended.*", "else.eA"] {
            assert!(Station::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn only_our_own_pages_change_something() {
        for (pairs, ours) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "http://a"), ("host", "a")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("origin", "https://a:1"), ("host", "a:1")], true),
            (&[("origin", "https://b"), ("host", "a")], false),
            (&[("origin", "null"), ("host", "null")], false),
            (&[("host", "a")], false),
        ] {
            assert_eq!(is_ours(&headers(pairs)), ours, "{pairs:?}");
        }
    }
}
