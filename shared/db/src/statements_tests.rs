#![allow(clippy::unwrap_used, reason = "a test may stop here")]
//! The SQL as text. Whoever changes it sees here what goes to the server.

use userlink_domain::IdKind;

use super::*;
use crate::schema::Class;

fn column(name: &str, sql_type: &str) -> Column {
    Column {
        name: name.into(),
        quoted: name.into(),
        declared: sql_type.into(),
        sql_type: sql_type.into(),
        class: Class::Text,
        not_null: false,
        filled: false,
        bytewise: false,
        readable: true,
    }
}

fn schema(id_form: IdForm) -> Schema {
    Schema {
        database: "app".into(),
        table: "app.users".into(),
        id_kind: IdKind::Uuid,
        sub_unique: false,
        sub_indexed: false,
        sub_is_uuid: false,
        estimated_rows: None,
        key_in_order: false,
        relation: ("app".into(), "users".into()),
        id_form,
        email_found_by: crate::schema::FoundBy::Reading,
        columns: vec![column("tenant_id", "uuid")],
    }
}

fn plain() -> Mapping {
    Mapping { created_at: None, ..Mapping::default() }
}

fn where_tenant() -> Mapping {
    Mapping {
        conditions: vec![
            ("tenant_id".into(), Condition::Equals(Literal::Text("acme' OR 1=1".into()))),
            ("deleted_at".into(), Condition::Null),
        ],
        show: vec!["plan".into()],
        ..plain()
    }
}

fn statements(mapping: &Mapping, dialect: Dialect, id_form: IdForm) -> Statements {
    Statements::new(mapping, dialect, &schema(id_form)).unwrap()
}

#[test]
fn pages_of_postgres() {
    let s = statements(&where_tenant(), Dialect::Postgres, IdForm::Uuid);
    let select = "SELECT u.\"id\", CAST(u.\"cognito_sub\" AS text), CAST(u.\"email\" AS text), CAST(NULL AS bigint), \
                  CAST(NULL AS bigint), left(CAST(u.\"plan\" AS text), 200) FROM \"app\".\"users\" AS u";
    assert_eq!(
        s.first_page.as_str(),
        format!(
            "{select} WHERE u.\"tenant_id\" = CAST($2::text AS uuid) AND u.\"deleted_at\" IS NULL ORDER BY u.\"id\" LIMIT $1"
        )
    );
    assert_eq!(
        s.next_page.as_str(),
        format!(
            "{select} WHERE u.\"id\" > $2 AND u.\"tenant_id\" = CAST($3::text AS uuid) AND u.\"deleted_at\" IS NULL \
             ORDER BY u.\"id\" LIMIT $1"
        )
    );
    assert!(matches!(&s.condition_values[..], [Value::Text(text)] if text == "acme' OR 1=1"), "bound, not written");
}

#[test]
fn pages_of_sqlite() {
    let s = statements(&where_tenant(), Dialect::Sqlite, IdForm::Text);
    assert_eq!(
        s.next_page.as_str(),
        "SELECT CASE WHEN typeof(u.\"id\") = 'blob' THEN u.\"id\" ELSE CAST(u.\"id\" AS text) END, \
         CASE WHEN typeof(u.\"cognito_sub\") = 'blob' THEN u.\"cognito_sub\" ELSE CAST(u.\"cognito_sub\" AS text) END, \
         CAST(u.\"email\" AS text), CAST(NULL AS bigint), CAST(NULL AS bigint), \
         substr(CAST(u.\"plan\" AS text), 1, 200) FROM \"app\".\"users\" AS u \
         WHERE u.\"id\" COLLATE BINARY > $2 AND u.\"tenant_id\" = $3 AND u.\"deleted_at\" IS NULL \
         ORDER BY u.\"id\" COLLATE BINARY LIMIT $1"
    );
}

/// What stands after WHERE.
fn predicate(sql: &SqlStr) -> &str {
    sql.as_str().split_once(" WHERE ").unwrap().1
}

#[test]
fn lookups() {
    let pg = statements(&plain(), Dialect::Postgres, IdForm::Text);
    assert_eq!(predicate(&pg.by_ids), "u.\"id\" = ANY($1) ORDER BY u.\"id\" COLLATE \"C\"");
    assert_eq!(
        predicate(&pg.by_subs),
        "lower(u.\"cognito_sub\" COLLATE \"C\") = ANY($1) ORDER BY u.\"id\" COLLATE \"C\""
    );
    assert_eq!(
        predicate(pg.by_email.as_ref().unwrap()),
        "position($1 in translate(CAST(u.\"email\" AS text) COLLATE \"C\", 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', \
         'abcdefghijklmnopqrstuvwxyz')) > 0 ORDER BY u.\"id\" COLLATE \"C\""
    );
    let lite = statements(&plain(), Dialect::Sqlite, IdForm::Uuid);
    assert_eq!(predicate(&lite.by_ids), "u.\"id\" IN (SELECT unhex(value) FROM json_each($1)) ORDER BY u.\"id\"");
    assert_eq!(
        predicate(&lite.by_subs),
        "lower(u.\"cognito_sub\") IN (SELECT value FROM json_each($1)) ORDER BY u.\"id\""
    );
}

#[test]
fn a_transaction_begins_in_one_message() {
    let begin = |dialect, read_only| begin(dialect, read_only, Duration::from_secs(5)).as_str().to_owned();
    assert_eq!(
        begin(Dialect::Postgres, true),
        "BEGIN READ ONLY; SET LOCAL statement_timeout = 5000; SET LOCAL row_security = off"
    );
    assert_eq!(begin(Dialect::Postgres, false), "BEGIN; SET LOCAL statement_timeout = 5000");
    assert_eq!(begin(Dialect::Sqlite, false), "BEGIN IMMEDIATE");
}

#[test]
fn a_name_cannot_leave_its_quotes() {
    for name in ["a\"; drop table users; --", "\"", "a\nb", "naïve ☃", "select", "a.b", "$1", "'"] {
        let mapping = Mapping { sub: name.into(), ..plain() };
        let s = statements(&mapping, Dialect::Postgres, IdForm::Uuid);
        // Taken out in its quoted form, nothing of the name is left.
        let quoted = format!("u.\"{}\"", name.replace('"', "\"\""));
        let plain = statements(&plain(), Dialect::Postgres, IdForm::Uuid);
        assert_eq!(s.next_page.as_str().replace(&quoted, "u.\"cognito_sub\""), plain.next_page.as_str(), "{name:?}");
    }
}

#[test]
fn names_that_no_database_has_are_refused() {
    let long = "x".repeat(64);
    for (dialect, name) in [(Dialect::Postgres, ""), (Dialect::Sqlite, "a\0b"), (Dialect::Postgres, long.as_str())] {
        let bad = [
            Mapping { sub: name.into(), ..plain() },
            Mapping { table: name.into(), ..plain() },
            Mapping { table: format!("{name}.users"), ..plain() },
            Mapping { show: vec![name.into()], ..plain() },
            Mapping { conditions: vec![(name.into(), Condition::Null)], ..plain() },
        ];
        for mapping in bad {
            assert!(matches!(check_names(&mapping, dialect), Err(DbError::Name { .. })), "{mapping:?}");
        }
    }
    assert!(check_names(&Mapping { sub: long, ..plain() }, Dialect::Sqlite).is_ok(), "SQLite has no such limit");
}

#[test]
fn what_a_repair_writes_is_one_row_that_is_as_expected() {
    for (dialect, form, lock, set) in [
        (
            Dialect::Postgres,
            IdForm::Uuid,
            " ORDER BY u.\"id\" FOR UPDATE OF u",
            "UPDATE \"app\".\"users\" AS u SET \"cognito_sub\" = $1 WHERE u.\"id\" = $2 AND \
             CAST(u.\"cognito_sub\" AS text) IS NOT DISTINCT FROM $3 AND u.\"tenant_id\" = CAST($4::text AS uuid) AND \
             u.\"deleted_at\" IS NULL",
        ),
        (
            Dialect::Sqlite,
            IdForm::UuidText,
            " ORDER BY u.\"id\" COLLATE BINARY",
            "UPDATE \"app\".\"users\" AS u SET \"cognito_sub\" = $1 WHERE u.\"id\" = $2 AND \
             CAST(u.\"cognito_sub\" AS text) IS $3 AND u.\"tenant_id\" = $4 AND u.\"deleted_at\" IS NULL",
        ),
    ] {
        let mapping = where_tenant();
        let (schema, reading) = (schema(form), statements(&mapping, dialect, form));
        let made = rows::RowStatements::new(&mapping, dialect, &schema, &reading);
        assert!(made.lock.as_str().ends_with(lock), "{}", made.lock.as_str());
        assert_eq!(made.set_sub.as_str(), set);
    }
}

#[test]
fn names_in_calls_and_counts_are_quoted() {
    let function = rows::function_parts("app.create\"; drop", Dialect::Postgres).unwrap();
    let called = rows::call(&function);
    assert_eq!(called.as_str(), "SELECT 1 FROM (SELECT \"app\".\"create\"\"; drop\"($1::text, $2::text)) AS made");
    assert!(rows::function_parts("app.make", Dialect::Sqlite).is_err());
    let orders = ("app".to_owned(), "or\"ders".to_owned());
    assert_eq!(
        rows::referring(Dialect::Postgres, &orders, "user_id", "uuid", 11).as_str(),
        "SELECT count(*) FROM (SELECT 1 FROM \"app\".\"or\"\"ders\" AS u WHERE u.\"user_id\" = CAST($1::text AS uuid) \
         LIMIT 11) AS found"
    );
}

/// Each half by its own index, whatever a planner makes of an OR.
#[test]
fn a_sub_and_an_email_are_looked_for_in_one_statement_where_an_index_finds_the_email() {
    let mut schema = schema(IdForm::BigInt);
    let mapping = Mapping { show: Vec::new(), ..where_tenant() };
    let both = |schema: &Schema| linking::LinkingStatements::new(&mapping, Dialect::Postgres, schema).by_sub_and_email;
    assert!(both(&schema).is_none());
    schema.email_found_by = crate::schema::FoundBy::Lower;
    schema.sub_indexed = true;
    let select = "SELECT u.\"id\"::int8, CAST(u.\"cognito_sub\" AS text), CAST(u.\"email\" AS text), \
        CAST(NULL AS bigint), CAST(NULL AS bigint) FROM \"app\".\"users\" AS u";
    let counts = "u.\"tenant_id\" = CAST($3::text AS uuid) AND u.\"deleted_at\" IS NULL";
    assert_eq!(
        both(&schema).unwrap().as_str(),
        format!(
            "{select} WHERE u.\"cognito_sub\" = ANY($1) AND {counts} UNION ALL \
             {select} WHERE lower(CAST(u.\"email\" AS text)) = lower($2::text) AND {counts}"
        )
    );
}
