//! Who it is that asks: the identity behind the credentials, for the journal.

use std::time::Duration;

use crate::reader::{PoolReader, load};

/// Nobody waits longer for a name.
const AT_MOST: Duration = Duration::from_secs(5);

impl PoolReader {
    /// The ARN behind the credentials (GetCallerIdentity of STS, which wants no permission); none where there is no answer.
    ///
    /// Where the pool is reached at an endpoint of its own, its credentials mean nothing to AWS: then only an endpoint that
    /// AWS's own variables name is asked, `AWS_ENDPOINT_URL_STS` or `AWS_ENDPOINT_URL`.
    pub async fn caller(&self) -> Option<String> {
        tokio::time::timeout(AT_MOST, self.ask()).await.ok().flatten()
    }

    async fn ask(&self) -> Option<String> {
        let options = &self.inner.options;
        let endpoint =
            ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"].into_iter().find_map(|name| std::env::var(name).ok());
        if options.made_up_credentials || (options.endpoint_url.is_some() && endpoint.is_none()) {
            return None;
        }
        let config = load(options, self.region()).await.ok()?;
        let mut of_sts = aws_sdk_sts::config::Builder::from(&config);
        if options.endpoint_url.is_some() {
            of_sts.set_endpoint_url(endpoint);
        }
        let answer = aws_sdk_sts::Client::from_conf(of_sts.build()).get_caller_identity().send().await;
        let answer = answer.inspect_err(|_| tracing::debug!("who is calling cannot be found out")).ok()?;
        answer.arn().filter(|arn| !arn.is_empty()).map(str::to_owned)
    }
}
