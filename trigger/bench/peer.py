"""The usual way in Python: boto3 and psycopg, a client and a connection made once, behind AWS's own runtime client."""

import os

import boto3
import psycopg
from botocore.config import Config

pool = boto3.client(
    "cognito-idp",
    endpoint_url=os.environ["AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"],
    config=Config(connect_timeout=1, read_timeout=2, retries={"max_attempts": 2}),
)
database = psycopg.connect(os.environ["USERLINK_DATABASE_URL"], autocommit=True)

UPSERT = """
INSERT INTO users (cognito_sub, email) VALUES (%s, %s)
ON CONFLICT (cognito_sub) DO UPDATE SET updated_at = now() RETURNING id::text
"""


def handler(event, context):
    if event["triggerSource"] == "PostConfirmation_ConfirmSignUp":
        user = event["request"]["userAttributes"]
        (row,) = database.execute(UPSERT, (user["sub"], user.get("email")), prepare=True).fetchone()
        pool.admin_update_user_attributes(
            UserPoolId=event["userPoolId"],
            Username=event["userName"],
            UserAttributes=[{"Name": "custom:userId", "Value": row}],
        )
    return event
