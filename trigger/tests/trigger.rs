//! Drives the real binary the way Lambda does, through a Runtime API of the test's own.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

const ARN: &str = "arn:aws:lambda:eu-central-1:123456789012:function:post-confirmation";
const PATIENCE: Duration = Duration::from_secs(20);

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// What the function sent: the rest of the path below `/2018-06-01/runtime/`, and the body.
type Sent = (String, String);

/// One function under one Runtime API.
struct Function {
    events: Sender<(String, String)>,
    sent: Receiver<Sent>,
    process: Child,
}

impl Function {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = listener.local_addr().unwrap().to_string();
        let (events, queue) = channel();
        let (out, sent) = channel();
        std::thread::spawn(move || serve(&listener, &queue, &out));
        let process = Command::new(env!("CARGO_BIN_EXE_post-confirmation"))
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api)
            .env("AWS_LAMBDA_FUNCTION_NAME", "post-confirmation")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
            .env("AWS_REGION", "eu-central-1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { events, sent, process }
    }

    /// Sends one event and waits for what the function says to it.
    fn invoke(&self, id: &str, event: &str) -> Sent {
        self.events.send((id.to_owned(), event.to_owned())).unwrap();
        self.sent.recv_timeout(PATIENCE).expect("the function did not answer")
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Serves one connection after the other: a function with one invocation at a time needs no more.
fn serve(listener: &TcpListener, queue: &Receiver<(String, String)>, out: &Sender<Sent>) {
    for stream in listener.incoming() {
        // The function may hang up between two requests, and is killed at the end of a test.
        let _ended = connection(stream.unwrap(), queue, out);
    }
}

fn connection(stream: TcpStream, queue: &Receiver<(String, String)>, out: &Sender<Sent>) -> Outcome<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    loop {
        let Some((method, path, body)) = request(&mut reader)? else { return Ok(()) };
        let path = path.strip_prefix("/2018-06-01/runtime/").expect("a path of the Runtime API").to_owned();
        if method == "GET" && path == "invocation/next" {
            // The test's end closes the queue.
            let (id, event) = queue.recv()?;
            let deadline = (SystemTime::now() + Duration::from_secs(5)).duration_since(UNIX_EPOCH)?.as_millis();
            write!(
                writer,
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
                 Lambda-Runtime-Aws-Request-Id: {id}\r\nLambda-Runtime-Deadline-Ms: {deadline}\r\n\
                 Lambda-Runtime-Invoked-Function-Arn: {ARN}\r\n\
                 Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700\r\n\r\n{event}",
                event.len(),
            )?;
        } else {
            out.send((path, body))?;
            let accepted = r#"{"status":"OK"}"#;
            write!(
                writer,
                "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{accepted}",
                accepted.len(),
            )?;
        }
        writer.flush()?;
    }
}

/// One request's method, path and body, or nothing at the end of the connection.
fn request(reader: &mut BufReader<TcpStream>) -> Outcome<Option<(String, String, String)>> {
    let mut first = String::new();
    if reader.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let mut words = first.split_whitespace();
    let method = words.next().ok_or("no method")?.to_owned();
    let path = words.next().ok_or("no path")?.to_owned();
    let (mut length, mut chunked) = (0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse()?,
            "transfer-encoding" => chunked = value.trim().eq_ignore_ascii_case("chunked"),
            _ => {}
        }
    }
    let mut body = Vec::new();
    if chunked {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size)?;
            let size = usize::from_str_radix(size.trim(), 16)?;
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk)?;
            if size == 0 {
                break;
            }
            body.extend_from_slice(&chunk[..size]);
        }
    } else {
        body.resize(length, 0);
        reader.read_exact(&mut body)?;
    }
    Ok(Some((method, path, String::from_utf8(body)?)))
}

/// The event of a user who confirmed by code, with what makes a strict parser stumble.
fn confirmation() -> Value {
    json!({
        "version": "1",
        "region": "eu-central-1",
        "userPoolId": "eu-central-1_AbCdEfGhI",
        "userName": "92f7d159-1110-4598-bba5-08878564dd9a",
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": null},
        "triggerSource": "PostConfirmation_ConfirmSignUp",
        "request": {
            "userAttributes": {
                "sub": "92f7d159-1110-4598-bba5-08878564dd9a",
                "cognito:user_status": "CONFIRMED",
                "email_verified": "true",
                "email": "zoë+\u{202e}tag@example.com",
                "custom:userId": "",
            },
            "clientMetadata": {"src": "web", "quote": "\"\\\n"},
        },
        "response": {},
    })
}

#[test]
fn the_event_comes_back_as_it_came() {
    let function = Function::start();
    let mut unknown = confirmation();
    unknown["triggerSource"] = json!("PostConfirmation_SomethingNew");
    unknown["addedLater"] = json!({"deep": [1, -1, 1.5, 1e3, 18_446_744_073_709_551_615_u64, true, null, {"a": []}]});
    unknown["request"]["userAttributes"]["notText"] = json!(7);
    let mut bare = confirmation();
    bare["response"] = Value::Null;
    bare["request"] = json!({});

    for (id, event) in [("first", confirmation()), ("second", unknown), ("third", bare)] {
        let (path, body) = function.invoke(id, &event.to_string());
        assert_eq!(path, format!("invocation/{id}/response"), "{body}");
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), event);
    }
}

#[test]
fn what_is_no_json_is_an_error_and_the_next_event_is_answered() {
    let function = Function::start();
    let (path, _) = function.invoke("broken", "{\"version\":");
    assert_eq!(path, "invocation/broken/error");
    let event = confirmation();
    let (path, body) = function.invoke("whole", &event.to_string());
    assert_eq!(path, "invocation/whole/response");
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), event);
}
