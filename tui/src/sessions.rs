//! For how long those who are signed in may still be taken for whom they were.

use std::time::Duration;

use crate::start::Opened;

/// For how long tokens may still carry what was before, asked once.
pub(crate) async fn tokens(opened: &Opened) -> String {
    let ask = async {
        match tokio::time::timeout(Duration::from_secs(5), opened.sources.pool.token_validity()).await {
            Ok(Ok(Some(longest))) => format!("up to {} after they were issued", lasts(longest)),
            Ok(Ok(None)) => "for how long is not known, as the app clients may not be looked at".to_owned(),
            Ok(Err(_)) | Err(_) => "for how long is not known".to_owned(),
        }
    };
    opened.tokens.get_or_init(|| ask).await.clone()
}

fn lasts(long: Duration) -> String {
    let minutes = long.as_secs().div_ceil(60);
    match minutes {
        0..60 => format!("{minutes} min"),
        _ if minutes.is_multiple_of(60) => format!("{} h", minutes / 60),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_validity_is_told_in_hours_and_minutes() {
        for (seconds, told) in [(300, "5 min"), (3_600, "1 h"), (5_400, "1 h 30 min"), (86_400, "24 h")] {
            assert_eq!(lasts(Duration::from_secs(seconds)), told);
        }
    }
}
