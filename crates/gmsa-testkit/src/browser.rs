//! A real Chromium, driven over `WebDriver` (W3C) by its own driver.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::json_http::exchange;
use crate::process::{Process, free_port};
use crate::tools::skip;

const SOON: Duration = Duration::from_mins(1);

/// A headless browser; killed when dropped.
pub struct Browser {
    port: u16,
    session: String,
    _driver: Process,
    _files: TempDir,
}

/// Starts the browser. Without one the test is skipped by name, and fails where `CI=true`.
pub fn start(test: &str) -> Option<Browser> {
    let (Some(chromium), Some(driver)) = (find("chromium"), find("chromedriver")) else {
        skip(test, "no chromium; scripts/chromium.sh installs it");
        return None;
    };
    Some(Browser::new(&chromium, &driver))
}

fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}

impl Browser {
    fn new(chromium: &std::path::Path, driver: &std::path::Path) -> Self {
        let files = tempfile::Builder::new().prefix("kube-gmsa-browser-").tempdir().unwrap();
        let port = free_port();
        let mut command = Command::new(driver);
        command.arg(format!("--port={port}")).env("HOME", files.path());
        let mut process = Process::start("chromedriver", command, &files.path().join("log"));
        let begin = Instant::now();
        let ready = || {
            let answer = exchange(port, "GET", "/status", None).ok()?;
            (answer["value"]["ready"] == json!(true)).then_some(())
        };
        while ready().is_none() {
            process.assert_running();
            assert!(begin.elapsed() < SOON, "chromedriver is not ready:\n{}", process.tail());
            std::thread::sleep(Duration::from_millis(50));
        }
        let profile = format!("--user-data-dir={}", files.path().join("profile").display());
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"binary": chromium, "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                "--disable-background-networking", "--disable-component-update",
                "--disable-sync", "--disable-dev-shm-usage", profile]},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }}});
        let answer = exchange(port, "POST", "/session", Some(&capabilities)).unwrap();
        let session = answer["value"]["sessionId"].as_str();
        let session = session.unwrap_or_else(|| panic!("{answer}\n{}", process.tail())).to_owned();
        let browser = Self { port, session, _driver: process, _files: files };
        // The browser's own first page does not count.
        browser.open("about:blank");
        browser.console();
        browser.requests();
        browser
    }

    /// Sends a command of the session, and returns its value.
    pub fn command(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let path = format!("/session/{}{path}", self.session);
        let mut answer = exchange(self.port, method, &path, body).unwrap();
        let value = answer["value"].take();
        assert!(value.get("error").is_none(), "{path}: {value}");
        value
    }

    /// Opens a page and waits until it is loaded.
    pub fn open(&self, url: &str) {
        self.command("POST", "/url", Some(&json!({ "url": url })));
    }

    /// Runs a script in the page and returns what it returns.
    pub fn script(&self, script: &str) -> Value {
        self.command("POST", "/execute/sync", Some(&json!({"script": script, "args": []})))
    }

    /// Sets the size of the viewport; a window would have a minimum width.
    pub fn resize(&self, width: u32, height: u32) {
        let body = json!({"cmd": "Emulation.setDeviceMetricsOverride", "params":
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}});
        self.command("POST", "/goog/cdp/execute", Some(&body));
    }

    /// Makes the page believe that the user prefers `light` or `dark`.
    pub fn prefer(&self, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        let body = json!({"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}});
        self.command("POST", "/goog/cdp/execute", Some(&body));
    }

    /// A picture of the whole page, PNG in base64.
    pub fn screenshot(&self) -> String {
        let body = json!({"cmd": "Page.captureScreenshot",
            "params": {"captureBeyondViewport": true, "format": "png"}});
        let answer = self.command("POST", "/goog/cdp/execute", Some(&body));
        answer["data"].as_str().unwrap().to_owned()
    }

    /// A picture of what the window shows, PNG in base64.
    pub fn view(&self) -> String {
        let body = json!({"cmd": "Page.captureScreenshot", "params": {"format": "png"}});
        let answer = self.command("POST", "/goog/cdp/execute", Some(&body));
        answer["data"].as_str().unwrap().to_owned()
    }

    /// The page as printed, PDF in base64.
    pub fn print(&self) -> String {
        let body = json!({"shrinkToFit": true, "background": true});
        self.command("POST", "/print", Some(&body)).as_str().unwrap().to_owned()
    }

    /// The console since the last call.
    pub fn console(&self) -> Vec<String> {
        self.log("browser").iter().map(ToString::to_string).collect()
    }

    /// The addresses that were asked for since the last call.
    pub fn requests(&self) -> Vec<String> {
        let entries = self.log("performance");
        let sent = entries.iter().filter_map(|entry| {
            let message: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let message = &message["message"];
            (message["method"] == json!("Network.requestWillBeSent"))
                .then(|| message["params"]["request"]["url"].as_str().map(str::to_owned))?
        });
        sent.collect()
    }

    fn log(&self, kind: &str) -> Vec<Value> {
        let body = json!({ "type": kind });
        self.command("POST", "/se/log", Some(&body)).as_array().unwrap().clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends its browser with the session.
        let _ = exchange(self.port, "DELETE", &format!("/session/{}", self.session), None);
    }
}
