//! Around every request: it is counted against the limit of its address, timed, and its log lines
//! carry its number and operation. No address and no path gets into a log or a metric.

use super::problem::Problem;
use crate::app::{App, AppError, Place};
use crate::limits::{Kind, network};
use crate::metrics::{REQUEST_TIME, REQUESTS};
use crate::pages;
use axum::extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::borrow::Cow;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::Instant;
use tracing::Instrument;

static NUMBER: AtomicU64 = AtomicU64::new(1);

pub(crate) async fn watch(
    State(app): State<Arc<App>>,
    matched: MatchedPath,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let operation = super::operation(request.method(), matched.as_str());
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let span = tracing::info_span!("request", number, operation);
    // The frames of a camera are counted by case, where they are taken.
    let from = client(&app, &request);
    let address = network(from);
    let counted = match operation {
        "frame" => Ok(()),
        // Whatever was asked before: nothing of a person may stay there for the next.
        "pages" if pages::clears_a_kiosk(&app, &request) => Ok(()),
        name if ELSEWHERE.contains(&name) => app.check(Kind::Address, &address, started),
        _ => limited(&app, (&request, &address), started),
    };
    request.extensions_mut().insert(Caller(address));
    request.extensions_mut().insert(place(&app, from));
    let response = match counted {
        Ok(()) => next.run(request).instrument(span).await,
        Err(error) => match operation {
            "pages" | "log_in_pages" => pages::too_often(&app, request.headers(), error),
            _ => Problem::from(error).into_response(),
        },
    };
    let status = response.status().as_u16();
    let labels = [("operation", operation.into()), ("status", status.into())];
    app.metrics.count(REQUESTS, &labels);
    app.metrics.time(REQUEST_TIME, &[("operation", operation.into())], started.elapsed());
    response
}

/// Operations that are counted by whom they are of, once that is proved: relying parties, whose people all come
/// from their one address, and the pages of log-ins, which ask again and again. What proves nothing is counted
/// by its address there ([`Caller`]).
const ELSEWHERE: [&str; 8] = [
    "oidc_push",
    "oidc_ciba",
    "oidc_token",
    "oidc_userinfo",
    "oidc_introspect",
    "oidc_revoke",
    "oidc_cpr_match",
    "log_in_poll",
];

/// The address of a request, as it is counted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller(Vec<u8>);

impl Caller {
    /// Counts a request of this address.
    ///
    /// # Errors
    /// [`AppError::TooOften`].
    pub(crate) fn spend(&self, app: &App) -> Result<(), AppError> {
        app.spend(Kind::Address, &self.0, Instant::now())
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

impl<S: Sync> FromRequestParts<S> for Place {
    type Rejection = Infallible;

    /// Where a request came from, as far as its person may be told later.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

/// Counts a request for an address that is none, which has no route to be watched on.
///
/// # Errors
/// [`AppError::TooOften`].
pub(crate) fn lost(app: &App, request: &Request) -> Result<(), AppError> {
    app.spend(Kind::Address, &network(client(app, request)), Instant::now())
}

/// Takes note of what an address that is none was answered: by one name, whatever the address was.
pub(crate) fn lost_with(app: &App, response: &Response) {
    let status = response.status().as_u16();
    app.metrics.count(REQUESTS, &[("operation", "elsewhere".into()), ("status", status.into())]);
}

/// Where cases are started.
const STARTS: [&str; 2] = ["/v1/enrolments", "/enrol/number"];

fn limited(app: &App, (request, address): (&Request, &[u8]), now: Instant) -> Result<(), AppError> {
    app.spend(Kind::Address, address, now)?;
    if request.method() == Method::POST && STARTS.contains(&request.uri().path()) {
        app.spend(Kind::Start, address, now)?;
    }
    Ok(())
}

/// Who asks. A request without a connection counts as everybody's.
fn client(app: &App, request: &Request) -> IpAddr {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip());
    let values = forwarded(request.headers());
    app.limits.proxies().client(peer, values.iter().map(AsRef::as_ref))
}

/// The values of `X-Forwarded-For`. A proxy writes its hop behind whatever bytes the client sent (RFC 9110 §5.5), and
/// that is read all the same.
fn forwarded(headers: &HeaderMap) -> Vec<Cow<'_, str>> {
    let values = headers.get_all("x-forwarded-for").iter();
    values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect()
}

/// Where `client` is: the address of one of the proxies is not that of who asks.
fn place(app: &App, client: IpAddr) -> Place {
    if app.limits.proxies().trust(client) { Place::default() } else { Place::of(client) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Proxies;
    use axum::http::HeaderValue;

    // proves G2 (where it began is shown)
    #[test]
    fn no_byte_that_a_client_sends_hides_what_a_proxy_wrote_behind_it() {
        let (proxy, range) = ("10.0.0.1".parse().unwrap(), "10.0.0.1".parse().unwrap());
        for before in [&b"\xe9"[..], b"\xff, \x80", b"?", b""] {
            let value = HeaderValue::from_bytes(&[before, b", 198.51.100.7"].concat()).unwrap();
            let headers = HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), value)]);
            let values = forwarded(&headers);
            let client = Proxies::new(vec![range]).client(proxy, values.iter().map(AsRef::as_ref));
            assert_eq!(client.to_string(), "198.51.100.7");
        }
    }
}
