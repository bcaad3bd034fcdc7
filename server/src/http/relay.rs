//! Opening the chip relay: the ticket is used up here, before the socket opens.

use super::problem::Problem;
use crate::app::App;
use crate::relay::{self, wire::SUBPROTOCOL};
use axum::extract::rejection::QueryRejection;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use std::sync::Arc;

/// How far a message may exceed the limit before the socket itself gives up: what lies between is
/// refused with a word.
const SLACK: usize = 64 * 1024;

/// What is read at a time. An open relay holds such a buffer however little it has to say; 128 KiB, the
/// usual, are most of what it would take. A longer frame gets room of its own while it arrives.
const READ_BUFFER: usize = 8 * 1024;

#[derive(Deserialize)]
pub(super) struct Opening {
    ticket: String,
}

/// Opens the chip relay, a WebSocket with the subprotocol `chip-relay.v1`.
#[utoipa::path(get, path = "/v1/relay", tag = "relay",
    params(("ticket" = String, Query, description = "A ticket, used up by this call")), responses(
    (status = 101, description = "The relay is open"),
    (status = 400, description = "No WebSocket, no ticket, or another subprotocol", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "The ticket is unknown, used or late", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn open(
    State(app): State<Arc<App>>,
    opening: Result<Query<Opening>, QueryRejection>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let Query(Opening { ticket }) = opening.map_err(|_| Problem::malformed())?;
    let upgrade = upgrade.map_err(|_| Problem::malformed())?.protocols([SUBPROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        return Err(Problem::malformed());
    }
    let access = app.redeem(&ticket).await?;
    let longest = app.relay.max_frame.saturating_add(SLACK);
    Ok(upgrade
        .read_buffer_size(READ_BUFFER)
        .max_message_size(longest)
        .max_frame_size(longest)
        .on_upgrade(move |socket| relay::run(socket, app, access)))
}
