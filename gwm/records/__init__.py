"""What this installation keeps of one cluster and Ganeti does not, as a file that another installation can do again."""
