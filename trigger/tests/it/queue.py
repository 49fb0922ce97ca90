"""A client of AWS's that is not ours: makes queues and secrets, and tells what is in them.

Takes one JSON object on standard input and gives one on standard output.
"""

import json
import sys

import boto3

asked = json.load(sys.stdin)
sqs = boto3.client("sqs", endpoint_url=asked["endpoint"], region_name="eu-central-1")
secrets = boto3.client("secretsmanager", endpoint_url=asked["endpoint"], region_name="eu-central-1")


def make():
    dead = sqs.create_queue(QueueName=asked["name"] + "-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
    queue = sqs.create_queue(QueueName=asked["name"], Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "0"})
    return {"queue": queue["QueueUrl"], "dead": dead}


def receive():
    messages = []
    while True:
        answer = sqs.receive_message(
            QueueUrl=asked["queue"],
            MaxNumberOfMessages=10,
            VisibilityTimeout=30,
            MessageAttributeNames=["All"],
            AttributeNames=["All"],
        )
        if not answer.get("Messages"):
            return messages
        messages += answer["Messages"]


def delete():
    for receipt in asked["receipts"]:
        sqs.delete_message(QueueUrl=asked["queue"], ReceiptHandle=receipt)


def put_secret():
    value = asked["value"] if isinstance(asked["value"], str) else json.dumps(asked["value"])
    if "arn" in asked:
        return secrets.put_secret_value(SecretId=asked["arn"], SecretString=value)["ARN"]
    return secrets.create_secret(Name=asked["name"], SecretString=value)["ARN"]


json.dump({"make": make, "receive": receive, "delete": delete, "put_secret": put_secret}[asked["do"]](), sys.stdout)
