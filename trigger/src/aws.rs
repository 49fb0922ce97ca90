//! What the clients of AWS's other services have in common.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

/// What one request may take. Whoever makes it counts its own time, and makes it again where that is of use.
const ATTEMPT: Duration = Duration::from_secs(1);

/// The function's own role and region; endpoints as AWS's own variables name them.
pub(crate) async fn config(region: Option<&str>) -> SdkConfig {
    let timeouts = TimeoutConfig::builder().connect_timeout(ATTEMPT).operation_timeout(ATTEMPT).build();
    let loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts);
    let loader = match region {
        Some(region) => loader.region(Region::new(region.to_owned())),
        None => loader,
    };
    loader.load().await
}
