//! quick
use std::time::Instant;
use userlink_domain::*;
use userlink_link::*;

#[derive(Debug)]
struct Nowhere;
impl Records for Nowhere {
    fn put_user(&mut self, _: &PoolUser) -> Place {
        Place(0)
    }
    fn put_row(&mut self, _: &Row) -> Place {
        Place(0)
    }
    fn user(&self, _: Place) -> Option<PoolUser> {
        None
    }
    fn row(&self, _: Place) -> Option<Row> {
        None
    }
}
fn mix(mut x: u64) -> u64 {
    x ^= x >> 30;
    x = x.wrapping_mul(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x = x.wrapping_mul(0x94d049bb133111eb);
    x ^ x >> 31
}
fn uuid(n: u64, s: u64) -> u128 {
    (mix(n ^ s << 56) as u128) << 64 | mix(n.wrapping_add(s << 48).wrapping_mul(31)) as u128
}
fn user(n: u64) -> PoolUser {
    let mut u = PoolUser::new(Sub::from_u128(uuid(n, 1)), Sub::from_u128(uuid(n, 1)).to_string());
    u.email = Some(format!("user{n}@example.org").into());
    u.email_verified = true;
    if n % 10 < 8 {
        u.user_id = Some(Sub::from_u128(uuid(n, 2)).to_string().into());
    }
    u
}
fn row(n: u64, total: u64) -> Row {
    let n = n.wrapping_mul(7_368_787) % total;
    let mut r = Row::new(RowId::Uuid(Sub::from_u128(uuid(n, 2)).as_uuid()));
    if n % 20 != 19 {
        r.sub = Some(Sub::from_u128(uuid(n, 1)).to_string().into());
    }
    r.email = Some(format!("user{n}@example.org").into());
    r
}
fn rss() -> f64 {
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    let l = |k: &str| {
        s.lines().find(|l| l.starts_with(k)).unwrap().split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1e6
    };
    println!("rss {:.3} GB peak {:.3} GB", l("VmRSS"), l("VmHWM"));
    l("VmRSS")
}
fn main() {
    let n: u64 = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(1_000_000);
    let mode = std::env::args().nth(2).unwrap_or("inc".into());
    let mut l = Linker::with_records(Rules::new(IdKind::Uuid), Box::new(Nowhere));
    if mode == "bulk" {
        l = l.gathering(2 * n);
    }
    let mut spent = std::time::Duration::ZERO;
    let mut worst = spent;
    for at in (0..n).step_by(1000) {
        for turn in 0..2 {
            let batch: Vec<Change> = (at..at + 1000)
                .map(|i| if turn == 0 { Change::User(user(i)) } else { Change::Row(row(i, n)) })
                .collect();
            let t = Instant::now();
            l.apply(&batch);
            let e = t.elapsed();
            spent += e;
            worst = worst.max(e);
        }
    }
    let t = Instant::now();
    l.apply(&[Change::Covered(Coverage::ALL)]);
    let e = t.elapsed();
    println!("{n} {mode}: batches {spent:?} worst {worst:?} end {e:?}");
    rss();
    println!("{:?}", l.counts());
    let t = Instant::now();
    let v = l.leads(None, "");
    println!("leads {} {:?}", v.len(), t.elapsed());
}
