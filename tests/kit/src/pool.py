"""A client of Cognito that is not ours: makes a pool, and reads a user back.

Takes one JSON object on standard input and gives one on standard output.
"""

import json
import sys

import boto3

asked = json.load(sys.stdin)
cognito = boto3.client("cognito-idp", endpoint_url=asked["endpoint"], region_name="us-east-1")


def make():
    pool = cognito.create_user_pool(
        PoolName="kit",
        Schema=[{"Name": "userId", "AttributeDataType": "String", "Mutable": True}],
    )["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="web", WriteAttributes=asked.get("write_attributes", ["email"])
    )["UserPoolClient"]["ClientId"]
    subs = {}
    for user in asked["users"]:
        name = user["username"]
        attributes = [{"Name": key, "Value": value} for key, value in user["attributes"].items()]
        if user["status"] == "UNCONFIRMED":
            cognito.sign_up(ClientId=client, Username=name, Password="Correct-horse-1", UserAttributes=attributes)
        else:
            cognito.admin_create_user(
                UserPoolId=pool, Username=name, UserAttributes=attributes, MessageAction="SUPPRESS"
            )
        if user["status"] in ("CONFIRMED", "RESET_REQUIRED"):
            cognito.admin_set_user_password(
                UserPoolId=pool, Username=name, Password="Correct-horse-1", Permanent=True
            )
        if user["status"] == "RESET_REQUIRED":
            cognito.admin_reset_user_password(UserPoolId=pool, Username=name)
        if not user["enabled"]:
            cognito.admin_disable_user(UserPoolId=pool, Username=name)
        subs[name] = attribute(cognito.admin_get_user(UserPoolId=pool, Username=name), "sub")
    return {"pool_id": pool, "subs": subs}


def attribute(user, name):
    return next((pair["Value"] for pair in user["UserAttributes"] if pair["Name"] == name), None)


def read():
    user = cognito.admin_get_user(UserPoolId=asked["pool_id"], Username=asked["username"])
    return {pair["Name"]: pair["Value"] for pair in user["UserAttributes"]}


json.dump({"make": make, "read": read}[asked["do"]](), sys.stdout)
