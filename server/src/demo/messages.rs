//! What the demonstration's stand-in mail server and SMS gateway took, for QA to read.

use crate::notices::standin::{Arrived, Mailbox};
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};

/// `GET /demo/messages`: all of it, oldest first.
pub fn messages(mailbox: Mailbox) -> Router {
    Router::new().route("/demo/messages", get(list)).with_state(mailbox)
}

async fn list(State(mailbox): State<Mailbox>) -> Json<Vec<Arrived>> {
    Json(mailbox.arrived())
}
