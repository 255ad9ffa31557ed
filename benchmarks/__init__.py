"""What measures oakum: against its peers, and detector by detector. No part of the package; standard library only."""
