"""What is tested: the CloudFormation template, deploying it, reading what is deployed.

The same code serves real AWS, any AWS-compatible endpoint and the embedded local cloud in
`deploy.local`; only the endpoint differs. Nothing here knows of load, records or verdicts.
"""
