//! OpenID Connect: the words of the protocol and what can be said of them without asking anybody. What a
//! relying party sends is parsed once into types that cannot hold nonsense; the use cases are in `app::oidc`,
//! the endpoints in `http::oidc`, the pages in `pages::log_in`.
//!
//! The profile is that of FAPI 2.0: every request is pushed (RFC 9126), every code has its PKCE challenge with
//! S256 (RFC 7636), redirects are compared as they are (RFC 9700 §2.1), answers carry `iss` (RFC 9207), signatures
//! are ES256. A token is bound to its sender (RFC 9449) where the relying party is registered so, or proves a key.

pub mod claims;
pub mod client;
pub mod dpop;
pub mod error;
pub mod halves;
pub mod idp_params;
pub mod jose;
pub mod level;
pub mod log_in;
pub mod params;
pub mod pkce;
pub mod request;
pub mod scope;
pub mod signed_request;

pub use client::{RelyingParty, Sector};
pub use error::OauthError;
pub use level::Level;
pub use log_in::{Approval, LogIn, Means, Way, Why};
pub use params::Params;
pub use request::Request;
pub use scope::Scope;
