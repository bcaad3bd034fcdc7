//! As much of WebDriver (W3C) as the page tests need: a headless Chromium of Debian's.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc,
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
    /// The driver's process does not say where it listens.
    #[error("chromedriver ended, or said nothing for long, before it listened")]
    NoPort,
    /// The driver did not answer.
    #[error("the browser does not answer {path}")]
    Request {
        /// The WebDriver path called.
        path: String,
        /// Why.
        source: Box<ureq::Error>,
    },
    /// The driver answered with an error.
    #[error("the browser refused {path}: {code}: {message}")]
    Refused {
        /// The WebDriver path called.
        path: String,
        /// The error code (`WebDriver` §6.6), such as `no such element`.
        code: String,
        /// What it says of it.
        message: String,
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

impl BrowserError {
    /// Whether the page was replaced while it was looked at: what was found is of the one before.
    fn is_of_the_page_before(&self) -> bool {
        let Self::Refused { code, message, .. } = self else { return false };
        code == "stale element reference"
            || code == "detached shadow root"
            || message.contains("aborted by navigation")
            || message.contains("does not belong to the document")
    }
}

/// So often a driver is started that ends before it listens.
const STARTS: u32 = 5;
/// Longest wait for a page that was replaced, or that a press asked for.
const PAGE: Duration = Duration::from_secs(120);
/// Time between two looks.
const GLANCE: Duration = Duration::from_millis(40);

/// Marks the page, and notes whether what is done next leaves it: a form that is sent or a link that is followed,
/// which no script of the page holds back. What a script does later, by itself, is not seen.
const ARMED: &str = "
    const mine = window.testPage = { number: Math.random(), leaves: false };
    const elsewhere = (link) => {
        const to = new URL(link.href, location.href);
        const same = to.pathname === location.pathname && to.search === location.search;
        return link.target !== '_blank' && !link.hasAttribute('download') && !(same && to.hash);
    };
    addEventListener('submit', (event) => {
        const method = event.submitter?.formMethod || event.target.method;
        if (window.testPage === mine && !event.defaultPrevented && method !== 'dialog') mine.leaves = true;
    });
    addEventListener('click', (event) => {
        const link = event.target.closest?.('a[href]');
        if (window.testPage === mine && link && !event.defaultPrevented && elsewhere(link)) mine.leaves = true;
    });
    return mine.number;";

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
        let (driver, port) = driver()?;
        let session = format!("http://127.0.0.1:{port}/session");
        let mut browser = Self { driver, session, agent: agent() };
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
        let deadline = Instant::now() + PAGE;
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

    /// Clicks the first element that `css` selects. If that sends a form or follows a link, the page that answers
    /// has loaded when this returns: what is waited for next cannot be of the page before.
    ///
    /// # Errors
    /// [`BrowserError`] if there is none or it cannot be clicked; [`BrowserError::Timeout`] if no page comes.
    pub fn click(&self, css: &str) -> Result<(), BrowserError> {
        self.acting(|| {
            let id = self.element(css)?;
            self.post(&format!("/element/{id}/click"), &json!({})).map(drop)
        })
    }

    /// The visible text of the first element that `css` selects, of the new page if it is being replaced.
    ///
    /// # Errors
    /// [`BrowserError`] if there is none.
    pub fn text(&self, css: &str) -> Result<String, BrowserError> {
        still(|| {
            let id = self.element(css)?;
            let text = self.get(&format!("/element/{id}/text"))?;
            Ok(text.as_str().unwrap_or_default().to_owned())
        })
    }

    /// Goes back in the history, and waits until that page has loaded.
    ///
    /// # Errors
    /// [`BrowserError`].
    pub fn back(&self) -> Result<(), BrowserError> {
        self.post("/back", &json!({})).map(drop)
    }

    /// Loads the page again.
    ///
    /// # Errors
    /// [`BrowserError`].
    pub fn reload(&self) -> Result<(), BrowserError> {
        self.post("/refresh", &json!({})).map(drop)
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
            std::thread::sleep(GLANCE);
        }
        Ok(())
    }

    /// Does what may leave the page, and then waits until the page that was left is gone and the next has loaded.
    fn acting(&self, act: impl Fn() -> Result<(), BrowserError>) -> Result<(), BrowserError> {
        let page = still(|| self.evaluate(ARMED))?;
        act()?;
        let deadline = Instant::now() + PAGE;
        loop {
            let now = "return [window.testPage?.number ?? null, window.testPage?.leaves ?? false, \
                document.readyState === 'complete']";
            let now = still(|| self.evaluate(now))?;
            let (of, leaves, complete) = (now.get(0), now.get(1), now.get(2));
            let stays = of == Some(&page) && leaves == Some(&Value::Bool(false));
            let is_next = of != Some(&page) && complete == Some(&Value::Bool(true));
            if stays || is_next {
                return Ok(());
            }
            if Instant::now() > deadline {
                let (what, seconds) = ("the next page".to_owned(), PAGE.as_secs());
                return Err(BrowserError::Timeout { what, seconds });
            }
            std::thread::sleep(GLANCE);
        }
    }

    /// Runs JavaScript in the page and gives its result.
    ///
    /// # Errors
    /// [`BrowserError`] if the script fails.
    pub fn evaluate(&self, script: &str) -> Result<Value, BrowserError> {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Types `keys` at whatever has the focus; keys without a sign have the code points of the standard
    /// (`WebDriver` §17.4.2), such as [`TAB`]. A page that they ask for has loaded when this returns.
    ///
    /// # Errors
    /// [`BrowserError`] if nothing takes them; [`BrowserError::Timeout`] if no page comes.
    pub fn keys(&self, keys: &str) -> Result<(), BrowserError> {
        let press = |key: char| {
            let key = key.to_string();
            [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})]
        };
        let actions: Vec<Value> = keys.chars().flat_map(press).collect();
        let source = json!({"type": "key", "id": "keyboard", "actions": actions});
        let typed = json!({"actions": [source]});
        self.acting(|| self.post("/actions", &typed).map(drop))
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

/// A chromedriver, and the port at which it listens. It ends at once where the port that it was given for IPv4 is
/// somebody else's for IPv6: then another one is started.
fn driver() -> Result<(Child, u16), BrowserError> {
    for _ in 0..STARTS {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(BrowserError::Driver)?;
        if let Some(port) = driver.stdout.take().and_then(port_of) {
            return Ok((driver, port));
        }
        let _ = driver.kill();
        let _ = driver.wait();
    }
    Err(BrowserError::NoPort)
}

/// Errors are answers too: they say what they are of.
fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into()
}

/// Does `read` again while the page is being replaced.
fn still<T>(read: impl Fn() -> Result<T, BrowserError>) -> Result<T, BrowserError> {
    let deadline = Instant::now() + PAGE;
    loop {
        match read() {
            Err(error) if error.is_of_the_page_before() && Instant::now() < deadline => {
                std::thread::sleep(GLANCE);
            }
            done => return done,
        }
    }
}

/// What is in an answer (`WebDriver` §6.3), or the error that it is.
fn value(
    path: &str,
    answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<Value, BrowserError> {
    let mut answer = answer.map_err(|source| BrowserError::Request {
        path: path.to_owned(),
        source: Box::new(source),
    })?;
    let unclear = || BrowserError::Answer { path: path.to_owned() };
    let good = answer.status().is_success();
    let mut body: Value =
        answer.body_mut().with_config().limit(64 << 20).read_json().map_err(|_| unclear())?;
    let value = body.get_mut("value").map(Value::take).ok_or_else(unclear)?;
    if good {
        return Ok(value);
    }
    let said = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or("?").to_owned();
    Err(BrowserError::Refused {
        path: path.to_owned(),
        code: said("error"),
        message: said("message").lines().next().unwrap_or_default().to_owned(),
    })
}

/// The port that chromedriver says it has been given, if it says so in time. What it says later is read and
/// forgotten, so that it never waits for a reader.
fn port_of(said: ChildStdout) -> Option<u16> {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let lines = BufReader::new(said).lines().map_while(Result::ok);
        for port in lines.filter_map(|line| port_in(&line)) {
            // Who has stopped waiting needs none.
            let _ = tell.send(port);
        }
    });
    told.recv_timeout(PAGE).ok()
}

fn port_in(line: &str) -> Option<u16> {
    line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok()
}

fn base64(text: &str) -> Option<Vec<u8>> {
    openssl::base64::decode_block(text).ok()
}
