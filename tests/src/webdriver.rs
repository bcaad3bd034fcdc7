//! As much of WebDriver (W3C) as the page tests need: a headless Chromium of Debian's.

use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// The tabulator key (`WebDriver` §17.4.2).
pub const TAB: &str = "\u{e004}";
/// Enter.
pub const ENTER: &str = "\u{e007}";
/// Space.
pub const SPACE: &str = " ";

/// What went wrong between test and browser.
#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    /// The driver's process could not be started.
    #[error("chromedriver cannot be started; run ./test once, it installs it")]
    Driver(#[source] std::io::Error),
    /// The driver did not answer, or answered with an error.
    #[error("the browser refused {path}")]
    Request {
        /// The WebDriver path called.
        path: String,
        /// Its answer.
        source: Box<ureq::Error>,
    },
    /// The answer had another shape than the standard's.
    #[error("the browser answered {path} unintelligibly")]
    Answer {
        /// The WebDriver path called.
        path: String,
    },
    /// What was waited for did not come.
    #[error("{what} did not appear in {seconds} s")]
    Timeout {
        /// What was waited for.
        what: String,
        /// How long.
        seconds: u64,
    },
    /// A screenshot could not be kept.
    #[error("the screenshot cannot be written")]
    Screenshot(#[source] std::io::Error),
}

/// A browser of its own; closed when dropped.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    session: String,
    agent: ureq::Agent,
}

impl Browser {
    /// Starts chromedriver on a free loopback port and a Chromium of `width` × `height` pixels.
    ///
    /// # Errors
    /// [`BrowserError`] if either does not come up.
    pub fn start(width: u32, height: u32) -> Result<Self, BrowserError> {
        Self::with(width, height, &[])
    }

    /// The same with a camera that everybody may use and that shows the MJPEG file `video` from its
    /// start each time it is turned on.
    ///
    /// # Errors
    /// [`BrowserError`] if either does not come up.
    pub fn with_camera(width: u32, height: u32, video: &Path) -> Result<Self, BrowserError> {
        let file = format!("--use-file-for-fake-video-capture={}", video.display());
        let device = "--use-fake-device-for-media-stream".to_owned();
        Self::with(width, height, &[device, "--use-fake-ui-for-media-stream".to_owned(), file])
    }

    fn with(width: u32, height: u32, more: &[String]) -> Result<Self, BrowserError> {
        let port = free_port().map_err(BrowserError::Driver)?;
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(BrowserError::Driver)?;
        let mut browser = Self {
            driver,
            session: format!("http://127.0.0.1:{port}/session"),
            agent: ureq::agent(),
        };
        let answer = browser.open_session(width, height, more)?;
        let id = answer
            .get("sessionId")
            .and_then(Value::as_str)
            .ok_or(BrowserError::Answer { path: "session".into() })?;
        browser.session = format!("{}/{id}", browser.session);
        Ok(browser)
    }

    fn open_session(
        &self,
        width: u32,
        height: u32,
        more: &[String],
    ) -> Result<Value, BrowserError> {
        let mut arguments = json!([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            format!("--window-size={width},{height}")
        ]);
        if let Value::Array(arguments) = &mut arguments {
            arguments.extend(more.iter().map(|argument| json!(argument)));
        }
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": {"args": arguments}
        }}});
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            match self.post("", &wanted) {
                Err(_) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(100))
                }
                other => return other,
            }
        }
    }

    /// Opens `url` and waits until it has loaded.
    ///
    /// # Errors
    /// [`BrowserError`] if the page cannot be opened.
    pub fn open(&self, url: &str) -> Result<(), BrowserError> {
        self.post("/url", &json!({"url": url})).map(drop)
    }

    /// Where the browser is.
    ///
    /// # Errors
    /// [`BrowserError`] if it does not say.
    pub fn url(&self) -> Result<String, BrowserError> {
        self.get("/url").map(|v| v.as_str().unwrap_or_default().to_owned())
    }

    /// Clicks the first element that `css` selects.
    ///
    /// # Errors
    /// [`BrowserError`] if there is none or it cannot be clicked.
    pub fn click(&self, css: &str) -> Result<(), BrowserError> {
        let id = self.element(css)?;
        self.post(&format!("/element/{id}/click"), &json!({})).map(drop)
    }

    /// The visible text of the first element that `css` selects.
    ///
    /// # Errors
    /// [`BrowserError`] if there is none.
    pub fn text(&self, css: &str) -> Result<String, BrowserError> {
        let id = self.element(css)?;
        self.get(&format!("/element/{id}/text")).map(|v| v.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until `css` selects something, at most `seconds`.
    ///
    /// # Errors
    /// [`BrowserError::Timeout`] with the selector.
    pub fn wait_for(&self, css: &str, seconds: u64) -> Result<(), BrowserError> {
        let deadline = Instant::now() + Duration::from_secs(seconds);
        while self.element(css).is_err() {
            if Instant::now() > deadline {
                return Err(BrowserError::Timeout { what: css.to_owned(), seconds });
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// Runs JavaScript in the page and gives its result.
    ///
    /// # Errors
    /// [`BrowserError`] if the script fails.
    pub fn evaluate(&self, script: &str) -> Result<Value, BrowserError> {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Types `keys` at whatever has the focus; keys without a sign have the code points of the standard
    /// (`WebDriver` §17.4.2), such as [`TAB`].
    ///
    /// # Errors
    /// [`BrowserError`] if nothing takes them.
    pub fn keys(&self, keys: &str) -> Result<(), BrowserError> {
        let press = |key: char| {
            let key = key.to_string();
            [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})]
        };
        let actions: Vec<Value> = keys.chars().flat_map(press).collect();
        let source = json!({"type": "key", "id": "keyboard", "actions": actions});
        self.post("/actions", &json!({"actions": [source]})).map(drop)
    }

    /// Runs a command of the Chrome `DevTools` Protocol.
    ///
    /// # Errors
    /// [`BrowserError`] if the browser does not know or do it.
    pub fn command(&self, name: &str, parameters: &Value) -> Result<Value, BrowserError> {
        self.post("/goog/cdp/execute", &json!({"cmd": name, "params": parameters}))
    }

    /// Shows pages as on a screen of `width` × `height` CSS pixels from now on.
    ///
    /// # Errors
    /// [`BrowserError`].
    pub fn screen(&self, width: u32, height: u32) -> Result<(), BrowserError> {
        let screen =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.command("Emulation.setScrollbarsHidden", &json!({"hidden": true}))?;
        self.command("Emulation.setDeviceMetricsOverride", &screen).map(drop)
    }

    /// Keeps a PNG of the whole page, also of what the window does not show.
    ///
    /// # Errors
    /// [`BrowserError`] if there is no picture or no place for it.
    pub fn whole_page(&self, file: &Path) -> Result<(), BrowserError> {
        let what = json!({"format": "png", "captureBeyondViewport": true});
        let answer = self.command("Page.captureScreenshot", &what)?;
        let png = answer.get("data").and_then(Value::as_str).and_then(base64);
        let png = png.ok_or(BrowserError::Answer { path: "Page.captureScreenshot".into() })?;
        std::fs::write(file, png).map_err(BrowserError::Screenshot)
    }

    /// Keeps a PNG of what the window shows.
    ///
    /// # Errors
    /// [`BrowserError`] if there is no picture or no place for it.
    pub fn screenshot(&self, file: &Path) -> Result<(), BrowserError> {
        let answer = self.get("/screenshot")?;
        let png = answer.as_str().and_then(base64);
        let png = png.ok_or(BrowserError::Answer { path: "/screenshot".into() })?;
        std::fs::write(file, png).map_err(BrowserError::Screenshot)
    }

    fn element(&self, css: &str) -> Result<String, BrowserError> {
        let found = self.post("/element", &json!({"using": "css selector", "value": css}))?;
        let id = found
            .get(ELEMENT)
            .and_then(Value::as_str)
            .ok_or(BrowserError::Answer { path: "/element".into() })?;
        Ok(id.to_owned())
    }

    fn get(&self, path: &str) -> Result<Value, BrowserError> {
        let answer = self.agent.get(format!("{}{path}", self.session)).call();
        value(path, answer)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value, BrowserError> {
        let answer = self.agent.post(format!("{}{path}", self.session)).send_json(body);
        value(path, answer)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.agent.delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn value(
    path: &str,
    answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<Value, BrowserError> {
    let mut answer = answer.map_err(|source| BrowserError::Request {
        path: path.to_owned(),
        source: Box::new(source),
    })?;
    let body: Value = answer
        .body_mut()
        .with_config()
        .limit(64 << 20)
        .read_json()
        .map_err(|_| BrowserError::Answer { path: path.to_owned() })?;
    body.get("value").cloned().ok_or(BrowserError::Answer { path: path.to_owned() })
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn base64(text: &str) -> Option<Vec<u8>> {
    openssl::base64::decode_block(text).ok()
}
