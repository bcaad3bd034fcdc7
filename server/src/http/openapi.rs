//! The description of the HTTP interface at `/openapi.json`.

use super::described::Described;
use axum::Json;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(title = "Indrul", description = "Electronic identity from a passport. The chip relay is described in docs/chip-relay.md."),
    paths(
        super::enrolments::start,
        super::enrolments::view,
        super::enrolments::page,
        super::enrolments::ticket,
        super::enrolments::face,
        super::captures::draw,
        super::captures::take,
        super::enrolments::finish,
        super::referrals::refer,
        super::referrals::slots,
        super::referrals::booking,
        super::referrals::book,
        super::referrals::cancel,
        super::referrals::visit,
        super::referrals::pick_up,
        super::officers::sign_in,
        super::officers::sign_out,
        super::officers::queue,
        super::officers::appointments,
        super::officers::look,
        super::officers::portrait,
        super::officers::rule,
        super::officers::reopen,
        super::officers::p_code,
        super::events::take_in,
        super::relay::open,
        super::identities::view,
        super::identities::keys,
        super::profiles::user_id,
        super::profiles::contacts,
        super::profiles::inbox,
        super::profiles::block,
        super::authenticators::list,
        super::authenticators::register,
        super::authenticators::activate,
        super::authenticators::block,
        super::authenticators::challenge,
        super::authenticators::offer,
        super::authenticators::copy,
        super::authenticators::messages,
        super::authenticators::block_self,
        super::authenticators::block_by_code,
        super::code_devices::list,
        super::code_devices::order,
        super::code_devices::send_code,
        super::code_devices::activate,
        super::code_devices::stand,
        super::code_devices::password,
        super::code_devices::hand_out,
        super::code_devices::look,
        super::code_devices::stand_by_officer,
        super::oidc::discovery::metadata,
        crate::pages::log_in::arrive::get,
        crate::pages::log_in::arrive::post,
        crate::pages::log_in::logout::get,
        crate::pages::log_in::logout::post,
        super::oidc::clients::push,
        super::oidc::clients::backchannel,
        super::oidc::tokens::grant,
        super::oidc::tokens::userinfo,
        super::oidc::tokens::post_userinfo,
        super::oidc::tokens::introspect,
        super::oidc::tokens::revoke,
        super::oidc::tokens::match_number,
        super::oidc::apps::claim,
        super::oidc::apps::approve,
        super::oidc::apps::refuse,
        super::my_page::open,
        super::my_page::close,
        super::my_page::activities,
        super::my_page::export,
        super::my_page::means,
        super::my_page::block,
        super::my_page::reopen,
        super::my_page::lose,
        super::my_page::find,
        super::my_page::name,
        super::my_page::block_all,
        super::health::live,
        super::health::ready,
    ),
    modifiers(&Token, &Everywhere, &LogOut, &Described)
)]
struct Document;

struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("token", SecurityScheme::Http(scheme));
        // RFC 9449 §7.1: a scheme for which the description has no word of its own.
        let header = ApiKeyValue::with_description(
            "Authorization",
            "`DPoP` and the token that is bound to a key, beside the header `DPoP` with a proof of that",
        );
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("bound_token", SecurityScheme::ApiKey(ApiKey::Header(header)));
    }
}

/// What any operation may answer but those of its health, where it says nothing of its own: the limits
/// stand before all of them, each may fail by our fault, and a body of JSON may be none.
struct Everywhere;

impl Modify for Everywhere {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let always = [
            ("429", problem("Too many requests; `Retry-After` says when to try again")),
            ("500", problem("Our fault")),
        ];
        let unread = [
            ("400", problem("Not readable")),
            ("413", problem("Too long")),
            ("415", problem("Not JSON")),
        ];
        for (path, item) in &mut document.paths.paths {
            let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete];
            let limited =
                ["/v1/", "/oidc/", "/.well-known/"].iter().any(|own| path.starts_with(own));
            for operation in operations.into_iter().flatten().filter(|_| limited) {
                let unread = if takes_json(operation) { &unread[..] } else { &[] };
                for (status, answer) in always.iter().chain(unread) {
                    let answers = &mut operation.responses.responses;
                    answers.entry((*status).to_owned()).or_insert_with(|| answer.clone().into());
                }
            }
        }
    }
}

fn problem(description: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .build()
}

fn takes_json(operation: &Operation) -> bool {
    match &operation.request_body {
        Some(RefOr::T(body)) => body.content.contains_key("application/json"),
        _ => false,
    }
}

/// Logging out has no parameter that must be there: its form may be empty, and then there is no body.
struct LogOut;

impl Modify for LogOut {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let post = document.paths.paths.get_mut("/oidc/logout").and_then(|item| item.post.as_mut());
        if let Some(RefOr::T(body)) = post.and_then(|operation| operation.request_body.as_mut()) {
            body.required = Some(Required::False);
        }
    }
}

/// The description.
pub(super) async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::openapi())
}
