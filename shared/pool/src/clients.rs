//! Who may write the attribute: what the pool's app clients let their users do.

use crate::budget::Category;
use crate::call::call;
use crate::error::{PoolError, Remedy};
use crate::reader::PoolReader;

/// App clients in one answer: as many as ListUserPoolClients gives at most.
const PAGE: i32 = 60;

/// Whether users can write the attribute themselves; then it proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Writable {
    /// Every app client names what its users may write, and the attribute is not among it.
    No,
    /// These app clients let their users write it.
    ///
    /// One that names nothing at all is among them: AWS's pages contradict each other on what that allows for custom
    /// attributes, and users have been seen to write them. Only a list without the attribute is safe.
    By(Vec<String>),
    /// They could not be looked at, for this reason: mostly [`Remedy::NotPermitted`]. (DescribeUserPoolClient gives the
    /// client's secret, so that not every role should.)
    Unknown(Remedy),
}

impl PoolReader {
    /// Looks at every app client (ListUserPoolClients, DescribeUserPoolClient), one request each.
    ///
    /// # Errors
    /// The usual ones; that it is not permitted is no error but [`Writable::Unknown`].
    pub async fn writable(&self) -> Result<Writable, PoolError> {
        match self.writing_clients().await {
            Ok(names) if names.is_empty() => Ok(Writable::No),
            Ok(names) => Ok(Writable::By(names)),
            Err(error) if error.remedy() == Remedy::NotPermitted => Ok(Writable::Unknown(error.remedy())),
            Err(error) => Err(error),
        }
    }

    async fn writing_clients(&self) -> Result<Vec<String>, PoolError> {
        let inner = &*self.inner;
        let mut writing = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let request = || {
                let request =
                    inner.client().list_user_pool_clients().user_pool_id(&inner.options.pool_id).max_results(PAGE);
                request.set_next_token(token.clone()).send()
            };
            let page = call(&inner.budget, Category::Describe, "ListUserPoolClients", &inner.place, request).await?;
            for listed in page.user_pool_clients() {
                let (Some(id), name) = (listed.client_id(), listed.client_name().unwrap_or_default()) else { continue };
                let request = || {
                    inner.client().describe_user_pool_client().user_pool_id(&inner.options.pool_id).client_id(id).send()
                };
                let answer = call(&inner.budget, Category::Describe, "DescribeUserPoolClient", &inner.place, request);
                let lets_write = |client: &aws_sdk_cognitoidentityprovider::types::UserPoolClientType| {
                    let named = client.write_attributes();
                    named.is_empty() || named.contains(&inner.options.attribute)
                };
                match answer.await {
                    Ok(answer) if answer.user_pool_client().is_none_or(lets_write) => writing.push(name.to_owned()),
                    Ok(_) => {}
                    // It was deleted since it was listed. Were it the pool that is gone, the next page would say so.
                    Err(error) if error.remedy() == Remedy::PoolMissing => {}
                    Err(error) => return Err(error),
                }
            }
            token = page.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
            if token.is_none() {
                return Ok(writing);
            }
        }
    }
}
