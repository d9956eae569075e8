"""`python worker.py [ROLE…]`: what works behind the web server. Without a role, all of them as children."""

from app.up import work

if __name__ == "__main__":
    work()
