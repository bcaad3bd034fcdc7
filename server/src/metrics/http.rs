//! `/metrics`, on an address of its own that only this machine reaches.

use super::gather;
use crate::app::App;
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use std::sync::Arc;

const KIND: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The routes of the metrics' listener.
pub fn router(app: Arc<App>) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(app)
}

async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, KIND)], gather(&app).await)
}
