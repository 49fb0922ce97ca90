//! TLS with a server whose certificate only its own file vouches for, as with a private authority.
//!
//! The throw-away cluster is given a certificate and asked to use it, for the time of the test. Connections of
//! other tests, which check nothing, go on as before.

use std::time::Duration;

use userlink_db::{Db, DbError, DbOptions, Tls};

use crate::world::World;

/// Makes the cluster use a certificate for this name; gives the certificate.
async fn serve(world: &World, name: &str) -> String {
    let made = format!(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN={name} \
         -keyout userlink-{name}.key -out userlink-{name}.crt -addext subjectAltName=DNS:{name} \
         -addext basicConstraints=critical,CA:FALSE 2>/dev/null"
    );
    // The program runs where the cluster's files are.
    world.run(&format!("COPY (SELECT 1) TO PROGRAM '{made}'")).await;
    for (setting, value) in [
        ("ssl_cert_file", format!("'userlink-{name}.crt'")),
        ("ssl_key_file", format!("'userlink-{name}.key'")),
        ("ssl", "on".into()),
    ] {
        world.run(&format!("ALTER SYSTEM SET {setting} = {value}")).await;
    }
    world.run("SELECT pg_reload_conf()").await;
    // The server reads its settings in its own time; a new connection shows what it has.
    while world.text("SHOW ssl_cert_file").await != format!("userlink-{name}.crt")
        || world.text("SHOW ssl").await != "on"
    {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    world.text(&format!("SELECT pg_read_file('userlink-{name}.crt')")).await
}

/// In one test, since there is one cluster.
#[tokio::test]
async fn the_certificate_must_be_good_and_made_out_to_the_host() {
    let world = World::postgres().await;
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root.pem");
    let url = world.url.replace("@127.0.0.1", "@localhost");
    let connect = async |tls, with_root: bool| {
        let root_cert = with_root.then(|| root.clone());
        Db::connect(&DbOptions { tls: Some(tls), root_cert, ..DbOptions::new(&url) }).await.map(drop)
    };
    let refused = |result: Result<(), DbError>| match result {
        Err(DbError::Tls { .. }) => true,
        other => panic!("{other:?}"),
    };

    std::fs::write(&root, serve(&world, "localhost").await).unwrap();
    assert!(refused(connect(Tls::VerifyFull, false).await), "nobody vouches for it");
    assert!(refused(connect(Tls::VerifyCa, false).await));
    connect(Tls::VerifyFull, true).await.unwrap();
    connect(Tls::Off, false).await.unwrap();

    std::fs::write(&root, serve(&world, "db.example.org").await).unwrap();
    assert!(refused(connect(Tls::VerifyFull, true).await), "made out to another host");
    connect(Tls::VerifyCa, true).await.unwrap();

    for setting in ["ssl", "ssl_cert_file", "ssl_key_file"] {
        world.run(&format!("ALTER SYSTEM RESET {setting}")).await;
    }
    world.run("SELECT pg_reload_conf()").await;
}
