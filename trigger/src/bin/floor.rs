//! The floor, to measure against: the same SQL and the same request to the pool as for a new user, in a loop that does nothing
//! else. No deadline, no retry, no late delivery, no log. It is no program for anybody's users.

use std::error::Error;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::AttributeType;
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Executor as _, PgConnection, Row as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use uuid::Uuid;

type Failed = Box<dyn Error + Send + Sync>;

const BEGIN: &str = "BEGIN; SET LOCAL statement_timeout = 1500; SET LOCAL lock_timeout = 1500; \
    SET LOCAL idle_in_transaction_session_timeout = 1500; SET LOCAL row_security = off";
const ANSWER: &str = "u.id, CAST(u.cognito_sub AS text), CAST(u.email AS text), CASE WHEN isfinite(u.created_at) \
    THEN floor(extract(epoch FROM u.created_at) * 1000)::int8 END, CAST(NULL AS bigint)";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failed> {
    let url: PgConnectOptions = std::env::var("USERLINK_DATABASE_URL")?.parse()?;
    let mut database = url.statement_cache_capacity(0).disable_statement_logging().connect().await?;
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12()).region(Region::new("eu-central-1")).load().await;
    let pool = Client::new(&config);
    let mut api = TcpStream::connect(std::env::var("AWS_LAMBDA_RUNTIME_API")?).await?;
    api.set_nodelay(true)?;
    loop {
        api.write_all(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: l\r\n\r\n").await?;
        let (head, body) = message(&mut api).await?;
        let id = head.lines().find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("lambda-runtime-aws-request-id: ").map(str::to_owned)
        });
        let id = id.ok_or("no request id")?;
        confirm(&serde_json::from_slice(&body)?, &mut database, &pool).await?;
        let head = format!(
            "POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\nHost: l\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        api.write_all(&[head.as_bytes(), &body].concat()).await?;
        message(&mut api).await?;
    }
}

async fn confirm(event: &Value, database: &mut PgConnection, pool: &Client) -> Result<(), Failed> {
    let text = |at: &str| event.pointer(at).and_then(Value::as_str).ok_or("a part of the event is missing");
    let (sub, email) = (Uuid::parse_str(text("/request/userAttributes/sub")?)?, text("/request/userAttributes/email")?);
    database.execute(sqlx::raw_sql(BEGIN)).await?;
    let seen = sqlx::AssertSqlSafe(format!(
        "SELECT {ANSWER} FROM public.users AS u WHERE u.cognito_sub = ANY($1) UNION ALL \
         SELECT {ANSWER} FROM public.users AS u WHERE lower(CAST(u.email AS text)) = lower($2::text)"
    ));
    sqlx::query(seen).bind(vec![sub]).bind(email).persistent(false).fetch_all(&mut *database).await?;
    let insert = sqlx::AssertSqlSafe(format!(
        "INSERT INTO public.users AS u (cognito_sub, email, created_at) VALUES (CAST($1::text AS uuid), $2, now()) \
         ON CONFLICT (cognito_sub) WHERE cognito_sub IS NOT NULL DO UPDATE SET cognito_sub = excluded.cognito_sub RETURNING {ANSWER}"
    ));
    let insert = sqlx::query(insert).bind(sub.to_string()).bind(email).persistent(false);
    let id: Uuid = insert.fetch_all(&mut *database).await?.first().ok_or("no row")?.get(0);
    database.execute(sqlx::raw_sql("COMMIT")).await?;
    let attribute = AttributeType::builder().name("custom:userId").value(id.to_string()).build()?;
    let request = pool.admin_update_user_attributes().user_pool_id(text("/userPoolId")?).username(text("/userName")?);
    request.user_attributes(attribute).send().await?;
    Ok(())
}

/// A head and its body.
async fn message(stream: &mut TcpStream) -> Result<(String, Vec<u8>), Failed> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err("the Runtime API broke off".into());
        }
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let whole = end + 4 + length.unwrap_or(0);
        while bytes.len() < whole {
            if stream.read_buf(&mut bytes).await? == 0 {
                return Err("the Runtime API broke off".into());
            }
        }
        return Ok((head, bytes.split_off(end + 4)));
    }
}
