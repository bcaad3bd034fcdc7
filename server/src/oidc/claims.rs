//! What a relying party is told of a person (OpenID Connect Core §2, §5; REQUIREMENTS M5).

use super::{Approval, Level, Request, Scope, Sector};
use crate::app::PublicIdentity;
use crate::ids::LogInId;
use serde_json::{Map, Value, json};
use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime};

/// What stands in the place of a protected name (C3).
pub const PROTECTED: &str = "NAVNE & ADRESSEBESKYTTET";

/// How long an ID token can be shown, seconds.
const LIFE: i64 = 300;

/// One log-in as claims tell it.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// Which: `sid`, and the transaction's identifier.
    pub id: LogInId,
    /// For whom.
    pub client_id: &'a str,
    /// The person, as this organisation knows them.
    pub subject: &'a str,
    /// What was asked for.
    pub request: &'a Request,
    /// What was approved.
    pub approval: &'a Approval,
}

impl Told<'_> {
    /// The level of the log-in (G5).
    #[must_use]
    pub fn loa(&self) -> Level {
        Level::of_log_in(self.approval.ial, self.approval.aal)
    }

    /// The claims of the ID token (OpenID Connect Core §2).
    ///
    /// `session_expiry` is when the session is over here (REQUIREMENTS M5), in seconds as `exp`.
    #[must_use]
    pub fn id_token(&self, now: OffsetDateTime, until: OffsetDateTime) -> Value {
        let (issued, Approval { ial, aal, at, means, .. }) = (now.unix_timestamp(), self.approval);
        let loa = self.loa().uri();
        let mut claims = json!({
            "iss": self.request.issuer,
            "sub": self.subject,
            "aud": self.client_id,
            "iat": issued,
            "exp": issued + LIFE,
            "auth_time": at.unix_timestamp(),
            "acr": loa,
            "amr": means.amr(),
            "sid": self.id,
            "session_expiry": until.unix_timestamp(),
            "loa": loa,
            "ial": ial.uri(),
            "aal": aal.uri(),
            "mitid.transaction_id": self.id,
        });
        if let (Some(nonce), Value::Object(claims)) = (&self.request.nonce, &mut claims) {
            claims.insert("nonce".to_owned(), json!(nonce));
        }
        claims
    }

    /// The claims of the transaction token: what was approved, for whom.
    #[must_use]
    pub fn transaction(&self) -> Value {
        json!({
            "iss": self.request.issuer,
            "aud": self.client_id,
            "sub": self.subject,
            "iat": self.approval.at.unix_timestamp(),
            "jti": self.id,
            "acr": self.loa().uri(),
            "action_text": self.request.action,
            "reference_text": self.request.text,
        })
    }
}

/// The claims of a logout token (OpenID Connect Back-Channel Logout §2.4).
#[must_use]
pub fn logout(
    issuer: &str,
    client_id: &str,
    (subject, sid): (&str, &str),
    (jti, now): (&str, OffsetDateTime),
) -> Value {
    let event = "http://schemas.openid.net/event/backchannel-logout";
    let issued = now.unix_timestamp();
    json!({
        "iss": issuer,
        "aud": client_id,
        "sub": subject,
        "sid": sid,
        "iat": issued,
        "exp": issued + (Duration::minutes(2)).whole_seconds(),
        "jti": jti,
        "events": { event: {} },
    })
}

/// A person, as far as it is known.
#[derive(Clone, Copy)]
pub struct Person<'a> {
    /// Their identity.
    pub identity: &'a PublicIdentity,
    /// Their personal number, if it was kept.
    pub cpr: Option<&'a str>,
    /// Whether name and address are, or may be, protected.
    pub protected: bool,
}

impl std::fmt::Debug for Person<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person({:?})", self.identity)
    }
}

/// The claims of userinfo (OpenID Connect Core §5.3.2) that `scopes` ask for, on `today`.
#[must_use]
pub fn userinfo(
    told: &Told<'_>,
    person: &Person<'_>,
    (sector, uuid): (Sector, &str),
    today: Date,
) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    put("sub", json!(told.subject));
    let has = |scope| told.request.scopes.contains(&scope);
    let name = match sector {
        Sector::Private if person.protected => PROTECTED,
        Sector::Private | Sector::Public => &person.identity.name,
    };
    if has(Scope::MitId) {
        let birth = &person.identity.birth_date;
        put("mitid.uuid", json!(uuid));
        put("mitid.date_of_birth", json!(birth));
        put("mitid.age", json!(age(birth, today)));
        put("mitid.has_cpr", json!(person.cpr.is_some()));
        put("mitid.identity_name", json!(name));
        put("mitid.transaction_id", json!(told.id));
    }
    if has(Scope::SsnName) {
        put("dk.cpr.details_name", json!(name));
    }
    if let (true, Some(cpr)) = (has(Scope::Ssn), person.cpr) {
        put("dk.cpr", json!(cpr));
    }
    claims
}

/// Whole years from `birth`, in ISO 8601, to `today`.
fn age(birth: &str, today: Date) -> Option<i32> {
    let birth = Date::parse(birth, format_description!("[year]-[month]-[day]")).ok()?;
    let had = (today.month() as u8, today.day()) >= (birth.month() as u8, birth.day());
    Some(today.year() - birth.year() - i32::from(!had))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn somebody_is_a_year_older_on_the_birthday() {
        for (today, years) in [
            (date!(2026 - 08 - 11), 51),
            (date!(2026 - 08 - 12), 52),
            (date!(2026 - 12 - 31), 52),
            (date!(2027 - 01 - 01), 52),
        ] {
            assert_eq!(age("1974-08-12", today), Some(years), "{today}");
        }
        assert_eq!(age("1974", date!(2026 - 01 - 01)), None);
    }
}
