//! Who the journal says it was: the identity behind the AWS credentials where STS tells it, else the user and the machine.

use serde_json::{Value, json};
use tokio::net::TcpListener;
use userlink_emulator::Faults;
use userlink_kit::{Fate, Gate, ask_python, moto_url};

use crate::journeys::Place;
use crate::scanning::stderr;
use crate::town::{Pool, Town};

/// Whom a client that is not ours finds behind these credentials.
const WHO: &str = "
import boto3, json, sys
endpoint = json.load(sys.stdin)['endpoint']
keys = dict(aws_access_key_id='test', aws_secret_access_key='test')
sts = boto3.client('sts', endpoint_url=endpoint, region_name='us-east-1', **keys)
print(json.dumps(sts.get_caller_identity()['Arn']))
";

/// Plans and applies what is safe in bulk. Gives who made the plan, and who did each step.
async fn repaired_by(town: &Town, pool: &Pool, sts: Option<&str>) -> (String, Vec<String>) {
    let home = tempfile::tempdir().unwrap();
    let url = town.in_sqlite(pool, &home.path().join("town.db")).await;
    let place = Place::new(home.path(), pool, &url, "users");
    let sts: Vec<(&str, &str)> = sts.into_iter().map(|sts| ("AWS_ENDPOINT_URL_STS", sts)).collect();
    let done = |arguments: &[&str]| {
        let output = place.run_with(arguments, &sts);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    done(&["plan", "-o", "plan.json"]);
    let plan: Value = serde_json::from_str(&std::fs::read_to_string(home.path().join("plan.json")).unwrap()).unwrap();
    done(&["apply", "plan.json", "--yes"]);
    let history = done(&["history", "--json"]);
    let actor = |line: &str| serde_json::from_str::<Value>(line).unwrap()["actor"].as_str().unwrap().to_owned();
    let actors: Vec<String> = history.lines().map(actor).collect();
    assert!(!actors.is_empty());
    (plan["made_by"].as_str().unwrap().to_owned(), actors)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_names_the_identity_behind_the_credentials() {
    let town = Town::new(2, false);
    let pool = town.on_moto();
    let arn = ask_python(WHO, &json!({"endpoint": moto_url()}));
    let arn = arn.as_str().unwrap();
    assert!(arn.starts_with("arn:aws:"), "{arn}");
    let (planned, did) = repaired_by(&town, &pool, Some(&moto_url())).await;
    for actor in did.iter().chain([&planned]) {
        assert!(actor.starts_with(&format!("{arn} (tester")), "{actor}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_answer_it_is_the_user_and_the_machine_and_nobody_waits_for_one() {
    let town = Town::new(2, false);
    let refused = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code></Error></ErrorResponse>";
    let refuses = Gate::before(&moto_url(), move |_| Fate::Answer(403, refused.to_owned())).await;
    // What is held is never let go: whoever waited for it would not come to an end.
    let silent = Gate::before(&moto_url(), |_| Fate::Held).await;
    let hangs_up = Gate::before(&moto_url(), |_| Fate::Lost).await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    for (what, sts, asked) in [
        ("refused", Some(&refuses.url), Some(&refuses)),
        ("silent", Some(&silent.url), Some(&silent)),
        ("hung up", Some(&hangs_up.url), Some(&hangs_up)),
        ("not there", Some(&nobody), None),
        ("not asked", None, None),
    ] {
        let pool = town.on_emulator(Faults::default()).await;
        let (planned, did) = repaired_by(&town, &pool, sts.map(String::as_str)).await;
        for actor in did.iter().chain([&planned]) {
            assert!(actor.starts_with("tester") && !actor.contains("arn:"), "{what}: {actor}");
        }
        if let Some(gate) = asked {
            assert!(!gate.operations().is_empty(), "{what}: it was asked");
        }
    }
}
