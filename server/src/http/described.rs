//! What holds for the description as a whole, so that clients can be generated from it.

use utoipa::Modify;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{OpenApi, ServerBuilder};

/// Where it answers, a name of its own for each operation, and who may call each.
pub(super) struct Described;

/// Where a relying party proves itself: by its secret in the header, or by what is in the form
/// (`OpenID` Connect Core §9).
const BY_RELYING_PARTY: [&str; 5] =
    ["/oidc/par", "/oidc/ciba", "/oidc/token", "/oidc/introspect", "/oidc/revoke"];

impl Modify for Described {
    fn modify(&self, document: &mut OpenApi) {
        document.info.license = None;
        document.servers = Some(vec![ServerBuilder::new().url("/").build()]);
        let basic = SecurityScheme::Http(Http::new(HttpAuthScheme::Basic));
        document.components.get_or_insert_default().add_security_scheme("relying_party", basic);
        for (path, item) in &mut document.paths.paths {
            let operations = [
                ("get", &mut item.get),
                ("put", &mut item.put),
                ("post", &mut item.post),
                ("delete", &mut item.delete),
            ];
            for (method, operation) in operations {
                if let Some(operation) = operation {
                    operation.operation_id = Some(name(method, path));
                    operation.security.get_or_insert_with(|| callers(path));
                }
            }
        }
    }
}

/// The method and the words of the path: no two operations have both.
fn name(method: &str, path: &str) -> String {
    let words = path.split(|sign: char| !sign.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    words.fold(method.to_owned(), |name, word| format!("{name}_{word}"))
}

/// Who may call what names nobody.
fn callers(path: &str) -> Vec<SecurityRequirement> {
    if !BY_RELYING_PARTY.contains(&path) {
        return Vec::new();
    }
    let by_secret = SecurityRequirement::new("relying_party", Vec::<String>::new());
    vec![by_secret, SecurityRequirement::default()]
}
