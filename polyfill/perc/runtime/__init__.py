"""The Key Distributor as a program: the page's messages, the tunnel's octets and time go into one queue."""
