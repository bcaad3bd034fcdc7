//! The enrolment service and the command `enroll`.
//!
//! Layers: `http` (and `relay`, `demo`, `pages`) → `app` → `storage` (STYLE 23). Only this crate
//! knows tokio, HTTP and SQL.

pub mod app;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod demo;
pub mod http;
pub mod ids;
pub mod keys;
pub mod notices;
pub mod pages;
pub mod record;
pub mod registers;
pub mod relay;
pub mod relay_client;
pub mod seal;
pub mod storage;
pub mod trust_dir;

use axum::Router;
use tokio::net::TcpListener;

/// Serves `router` on `listener` until `stop` is done; requests under way are finished first.
///
/// # Errors
/// An I/O error of the listener.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}
