"""The servers of a PERC conference: call processing, the Media Distributor and the identity providers."""
