//! The times that are booked.

use super::super::html;
use super::super::layout::Layout;
use super::{At, Frame, Signed, trouble};
use crate::app::{App, Appointment};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "officer/appointments.html")]
struct Page {
    l: Layout,
    frame: Frame,
    appointments: Vec<Appointment>,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Signed { visit, officer }: Signed,
) -> Response {
    match app.appointments(&officer).await {
        Ok(appointments) => {
            let title = "officer-appointments";
            let (l, frame) =
                (Layout::of_staff(&visit, title), Frame::of(Some(&officer), At::Appointments));
            html(&Page { l, frame, appointments })
        }
        Err(error) => trouble::of(&visit, Some(&officer), error),
    }
}
