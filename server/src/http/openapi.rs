//! The description of the HTTP interface at `/openapi.json`.

use axum::Json;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
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
        super::enrolments::finish,
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
        super::authenticators::block_by_code,
    ),
    modifiers(&Token)
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
    }
}

/// The description.
pub(super) async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::openapi())
}
