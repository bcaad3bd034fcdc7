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
pub mod ending;
pub mod http;
pub mod ids;
pub mod inference;
pub mod keys;
pub mod limits;
pub mod metrics;
pub mod notices;
pub mod oidc;
pub mod pages;
pub mod record;
pub mod registers;
pub mod relay;
pub mod relay_client;
pub mod seal;
pub mod storage;
pub mod trust_dir;

use app::App;
use axum::Router;
use axum::serve::ListenerExt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

/// Serves `router` on `listener` until `stop` is done; requests under way are finished first.
///
/// What is written is sent at once: a frame of the relay that follows another would else wait until the client's
/// system acknowledges that one, up to 40 ms (Nagle's algorithm beside delayed ACKs, RFC 896 and RFC 1122 §4.2.3.2).
///
/// # Errors
/// An I/O error of the listener.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let listener = listener.tap_io(|socket| {
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "a connection that waits before it sends");
        }
    });
    axum::serve(listener, service).with_graceful_shutdown(stop).await
}

/// Serves `router` on `listener` until `stop` is done, and then ends within about `grace`: nothing new
/// is taken, open relays get a close code, and requests and deliveries under way are finished if they
/// can be.
///
/// # Errors
/// An I/O error of the listener.
pub async fn serve_until(
    app: Arc<App>,
    (listener, router): (TcpListener, Router),
    stop: impl Future<Output = ()> + Send + 'static,
    grace: Duration,
) -> std::io::Result<()> {
    let ending = app.clone();
    let begin = async move {
        stop.await;
        ending.ending.begin();
    };
    let patience = async {
        app.ending.begun().await;
        sleep(grace).await;
    };
    let all = async {
        serve(listener, router, begin).await?;
        app.ending.relays_closed().await;
        app.ending.workers_done().await;
        std::io::Result::Ok(())
    };
    tokio::select! {
        ended = all => ended?,
        () = patience => {
            let (relays, workers) = (app.ending.relays(), app.ending.workers());
            tracing::warn!(relays, workers, "ending before everything has ended");
        }
    }
    if timeout(grace, app.parts.store.close()).await.is_err() {
        tracing::warn!("the database connections were not closed in time");
    }
    Ok(())
}
